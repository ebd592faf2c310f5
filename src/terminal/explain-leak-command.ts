/** `unreloader explain-leak`: asks the supervisor of a project who keeps old code alive. */
import { connect } from "node:net";
import path from "node:path";
import { NoSupervisorError } from "../common/errors.js";
import { EXPLAIN_LEAK, type LeakAnswer, leakAnswer } from "../common/protocol/leak-answer.js";
import { leakLines } from "../leaks/leak-report.js";
import { findSupervisors, type RunningSupervisor } from "../leaks/running-supervisors.js";
import { nearestPackageFolder } from "../options/project-root.js";
import { cacheFolder } from "../thread/environment.js";

export interface ExplainLeakInput {
  /** Project root; undefined: the folder of the package.json nearest to the working folder. */
  readonly root: string | undefined;
  readonly pid: number | undefined;
  readonly format: "pretty" | "json";
}

export interface CommandOutput {
  /** The answer. */
  out(line: string): void;
  /** Remarks. */
  note(line: string): void;
}

/** @throws NoSupervisorError when none runs, or not that one, or it ends before it has answered. */
export async function explainLeakCommand(input: ExplainLeakInput, cwd: string, output: CommandOutput): Promise<void> {
  const root = input.root === undefined ? nearestPackageFolder(path.join(cwd, "any")) : path.resolve(cwd, input.root);
  const supervisor = choose(root, input.pid, output);
  const answer = await ask(supervisor);
  if ("error" in answer) throw new NoSupervisorError(`process ${supervisor.pid} could not explain: ${answer.error}`);
  const lines =
    input.format === "json" ? answer.leaks.map((leak) => JSON.stringify(leak)) : leakLines(answer.leaks, cwd);
  for (const line of lines) output.out(line);
}

function choose(root: string, pid: number | undefined, output: CommandOutput): RunningSupervisor {
  const { running, gone } = findSupervisors(cacheFolder(root));
  const killed = gone.length === 0 ? "" : `; process ${gone.join(", ")} was killed and had left its file`;
  const hint = "start one, or name another project by --root";
  const [newest] = running;
  if (!newest) throw new NoSupervisorError(`no supervisor is running for ${root}${killed}: ${hint}`);
  const list = running.map((one) => `${one.pid} (${path.relative(root, one.entry)})`).join(", ");
  if (pid !== undefined) {
    const chosen = running.find((one) => one.pid === pid);
    if (!chosen) throw new NoSupervisorError(`--pid ${pid} is no supervisor of ${root}; running: ${list}${killed}`);
    return chosen;
  }
  if (running.length > 1) output.note(`asking the newest of ${running.length} supervisors, ${newest.pid}: ${list}`);
  return newest;
}

function ask({ address, pid }: RunningSupervisor): Promise<LeakAnswer> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(address, () => socket.write(`${EXPLAIN_LEAK}\n`));
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => {
      text += part;
    });
    socket.once("error", (error) => reject(unreachable(pid, error.message)));
    socket.once("close", () => {
      if (text.endsWith("\n")) resolve(leakAnswer.parse(JSON.parse(text)));
      else reject(unreachable(pid, "it closed the connection"));
    });
  });
}

function unreachable(pid: number, because: string): NoSupervisorError {
  return new NoSupervisorError(`the supervisor (process ${pid}) did not answer: ${because}`);
}
