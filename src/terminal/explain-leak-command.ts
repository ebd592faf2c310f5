/** `unreloader explain-leak`: asks the supervisor of a project what keeps old code alive. */
import path from "node:path";
import { askSupervisor } from "../control/ask-supervisor.js";
import { chooseSupervisor } from "../control/choose-supervisor.js";
import { leakLines } from "../leaks/leak-report.js";
import { nearestPackageFolder } from "../options/project-root.js";

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
  const { supervisor, remark } = chooseSupervisor(root, input.pid);
  if (remark !== undefined) output.note(remark);
  const leaks = await askSupervisor(supervisor, "explain-leak");
  const lines = input.format === "json" ? leaks.map((leak) => JSON.stringify(leak)) : leakLines(leaks, cwd);
  for (const line of lines) output.out(line);
}
