/** An app in a temporary folder under a supervisor in this process, and hosts to mount it in. */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { createSupervisor, type Supervisor, type SupervisorOptions } from "../../src/index.js";
import { TempApp } from "./temp-app.js";

export class EmbeddedApp implements AsyncDisposable {
  readonly app: TempApp;
  readonly supervisor: Supervisor;
  readonly #hosts: http.Server[] = [];

  constructor(
    files: Readonly<Record<string, string>>,
    entry: string,
    options: Partial<SupervisorOptions> = {},
    packages: readonly string[] = [],
  ) {
    this.app = new TempApp({ "package.json": `{ "name": "app", "type": "module" }\n`, ...files }, { packages });
    // A thread that few of these tests use, and that costs a fifth of each; standby.test.ts has it.
    this.supervisor = createSupervisor({ entry: this.app.path(entry), logLevel: "silent", standby: false, ...options });
  }

  /** A host's server on a free port; resolves with its origin. */
  async host(server: http.Server): Promise<string> {
    this.#hosts.push(server);
    if (!server.listening) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A plain host: the handler for every request, and for upgrades. */
  mount(): Promise<string> {
    const server = http.createServer(this.supervisor.handler);
    return this.host(server.on("upgrade", this.supervisor.upgrade));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.close();
    for (const server of this.#hosts) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await this.app[Symbol.asyncDispose]();
  }
}
