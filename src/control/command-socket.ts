/** Where a running supervisor can be asked by other processes of the same user: a socket in a folder of the user's own. */
import { existsSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { debuglog } from "node:util";
import { localSocketPath } from "../common/paths.js";
import { type Commands, reply } from "./commands.js";

const debug = debuglog("unreloader");

/** In characters: the body of a request may be long. */
const LONGEST_QUESTION = 16 * 2 ** 20;

export interface CommandSocketOptions {
  /** Readable by this user only. */
  readonly folder: string;
  readonly commands: Commands;
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

  /** Opens the socket again when its file was removed, so that others find it. */
  ensure(): void {
    if (process.platform === "win32" || existsSync(this.address)) return;
    this.#server.close();
    this.#server = this.#createServer();
    this.#server.on("error", (error) => debug("no questions can be put at %s: %s", this.address, error));
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
    // The process that asked has ended.
    socket.on("error", () => socket.destroy());
    const gone = new AbortController();
    socket.once("close", () => gone.abort());
    let text = "";
    let isAsked = false;
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => {
      text += part;
      if (text.length > LONGEST_QUESTION || isAsked) socket.destroy();
      else if (part.includes("\n")) {
        isAsked = true;
        void this.#answer(socket, text, gone.signal);
      }
    });
  }

  /** One question, one answer: then the connection is over. */
  async #answer(socket: Socket, text: string, signal: AbortSignal): Promise<void> {
    const answer = await reply(text, this.#options.commands, signal);
    socket.end(`${JSON.stringify(answer)}\n`);
  }
}
