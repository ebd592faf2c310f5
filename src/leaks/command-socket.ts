/** Where a running supervisor can be asked by other processes of the same user: a socket in a folder of the user's own. */
import { existsSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { debuglog } from "node:util";
import { errorText } from "../common/errors.js";
import { localSocketPath } from "../common/paths.js";
import { EXPLAIN_LEAK } from "../common/protocol/leak-answer.js";
import type { LeakReport } from "./leak-report.js";

const debug = debuglog("unreloader");

/** `LeakAnswer` as it is sent. */
type Answer = { readonly leaks: readonly LeakReport[] } | { readonly error: string };

/** Nobody has more to ask. */
const LONGEST_QUESTION = 1000;

export interface CommandSocketOptions {
  /** Readable by this user only. */
  readonly folder: string;
  explainLeak(): Promise<readonly LeakReport[]>;
}

export class CommandSocket {
  readonly address: string;
  readonly #options: CommandSocketOptions;
  #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: CommandSocketOptions) {
    const { folder } = options;
    this.#options = options;
    this.address = localSocketPath(folder, "commands");
    this.#server = this.#createServer();
  }

  /** Rejects when the socket cannot be opened. */
  static open(options: CommandSocketOptions): Promise<CommandSocket> {
    const socket = new CommandSocket(options);
    return new Promise((resolve, reject) => {
      socket.#server.once("error", reject);
      socket.#server.listen(socket.address, () => resolve(socket));
    });
  }

  /** Somebody may have removed the file of the socket, and who asks would not find it. */
  ensure(): void {
    if (process.platform === "win32" || existsSync(this.address)) return;
    this.#server.close();
    this.#server = this.#createServer();
    this.#server.on("error", (error) => debug("nobody can ask at %s: %s", this.address, error));
    this.#server.listen(this.address);
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #createServer(): Server {
    // Being asked is no reason to go on living.
    return createServer((socket) => this.#accept(socket)).unref();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // Who asked has gone.
    socket.on("error", () => socket.destroy());
    let question = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      question += text;
      if (question.length > LONGEST_QUESTION) socket.destroy();
      if (question.endsWith("\n")) void this.#answer(question.trim()).then((answer) => reply(socket, answer));
    });
  }

  async #answer(question: string): Promise<Answer> {
    if (question !== EXPLAIN_LEAK) return { error: `unknown command ${question}` };
    try {
      return { leaks: await this.#options.explainLeak() };
    } catch (error) {
      return { error: errorText(error) };
    }
  }
}

function reply(socket: Socket, answer: Answer): void {
  socket.end(`${JSON.stringify(answer)}\n`);
}
