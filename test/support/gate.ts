/** Something outside of an app that the app waits for: it answers when the test says so. HTTP, and anything that sends a byte. */
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { within } from "./deadline.js";

const HTTP_ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

export class Gate implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  /** Answers that wait for `open()`. */
  readonly #waiting: (() => void)[] = [];
  #isOpen: boolean;
  #arrived = 0;
  #onArrival: () => void = () => {};

  private constructor(isOpen: boolean) {
    this.#isOpen = isOpen;
    this.#server = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("data", (bytes) => {
        const isHttp = String(bytes).includes(" HTTP/1.1");
        const answer = () => socket.write(isHttp ? HTTP_ANSWER : "ok\n");
        this.#arrived++;
        this.#onArrival();
        if (this.#isOpen) answer();
        else this.#waiting.push(answer);
      });
    });
  }

  static async make(isOpen = false): Promise<Gate> {
    const gate = new Gate(isOpen);
    gate.#server.listen(0, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What arrives from now on waits. */
  shut(): void {
    this.#isOpen = false;
    this.#arrived = 0;
  }

  open(): void {
    this.#isOpen = true;
    for (const answer of this.#waiting.splice(0)) answer();
  }

  /** Resolves when somebody has asked since the gate was shut. */
  async arrival(): Promise<void> {
    const arrival = new Promise<void>((resolve) => {
      this.#onArrival = resolve;
      if (this.#arrived > 0) resolve();
    });
    await within(arrival, "somebody to ask at the gate");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
