/** Puts a question to a supervisor that runs in another process. */
import { connect } from "node:net";
import { errorText, NoSupervisorError } from "../common/errors.js";
import { type CommandAnswer, type CommandName, commandAnswers, type Question, reply } from "./commands.js";
import type { RunningSupervisor } from "./running-supervisors.js";

/** @throws NoSupervisorError when it cannot be reached, ends before it has answered, or answers that it cannot. */
export async function askSupervisor<Name extends CommandName>(
  { address, pid }: RunningSupervisor,
  command: Name,
): Promise<CommandAnswer<Name>> {
  const unanswered = (because: string) =>
    new NoSupervisorError(`the supervisor (process ${pid}) did not answer: ${because}`);
  const text = await exchange(address, { command }).catch((error: unknown) => {
    throw unanswered(errorText(error));
  });
  if (!text.endsWith("\n")) throw unanswered("it closed the connection");
  const given = reply.parse(JSON.parse(text));
  if ("error" in given) throw new NoSupervisorError(`process ${pid} could not answer ${command}: ${given.error}`);
  return commandAnswers[command].parse(given.answer) as CommandAnswer<Name>;
}

/** All that is sent until the other side ends. */
function exchange(address: string, question: Question): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(address, () => socket.write(`${JSON.stringify(question)}\n`));
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => {
      text += part;
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(text));
  });
}
