/** Puts a question to a supervisor that runs in another process. Loads little: a command line waits for it. */
import { connect } from "node:net";
import { errorText, NoSupervisorError } from "../common/errors.js";
import type { Reply } from "./commands.js";
import type { RunningSupervisor } from "./running-supervisors.js";

export interface Question {
  readonly command: string;
  readonly [argument: string]: unknown;
}

/** Nobody listens at its address: it was killed, and its number may be another process's now. */
export class UnreachableSupervisor extends NoSupervisorError {}

/**
 * What the supervisor answers, or why it cannot.
 * @throws NoSupervisorError when it cannot be reached, or ends before it has answered.
 */
export async function askSupervisor(
  { address, pid }: Pick<RunningSupervisor, "address" | "pid">,
  question: Question,
  signal?: AbortSignal,
): Promise<Reply> {
  const said = (because: string): string => `the supervisor (process ${pid}) did not answer: ${because}`;
  const text = await exchange(address, `${JSON.stringify(question)}\n`, signal).catch((error: unknown) => {
    const isNobody = ["ENOENT", "ECONNREFUSED"].includes((error as NodeJS.ErrnoException).code ?? "");
    throw new (isNobody ? UnreachableSupervisor : NoSupervisorError)(said(errorText(error)));
  });
  if (!text.endsWith("\n")) throw new NoSupervisorError(said("it closed the connection"));
  return JSON.parse(text) as Reply;
}

/** All that is sent until the other side ends. */
function exchange(address: string, question: string, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(address, () => socket.write(question));
    const abort = (): void => void socket.destroy(new Error("not in time"));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => {
      text += part;
    });
    socket.once("error", reject);
    socket.once("close", () => {
      signal?.removeEventListener("abort", abort);
      resolve(text);
    });
  });
}
