/** A save between two requests of one connection: the second one must not pass before the save has been noticed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { type FolderWatch, watchFolder } from "../../src/files/watcher.js";
import { PASS, type Verdict } from "../../src/front/turn.js";
import { eventually, within } from "../support/deadline.js";
import { RelayedApp } from "../support/relayed-app.js";
import { TempApp } from "../support/temp-app.js";

/** Sets the last word of the table, which no connection uses, when the second request begins. */
const app = `require("node:http").createServer((req, res) => {
  if (req.url === "/second") {
    Atomics.store(table, table.length - 1, 1);
    Atomics.notify(table, table.length - 1);
  }
  res.end("answered " + req.url);
}).listen(0);`;

/** For so long the worker may begin what it must not; this thread does nothing meanwhile, and so notices nothing. */
const BLOCKED_MS = 200;
const FIRST = "GET /first HTTP/1.1\r\nHost: x\r\n\r\n";
const SECOND = "GET /second HTTP/1.1\r\nHost: x\r\n";

const skip = process.platform !== "linux" && "file events come late here, and files are looked at";
describe("the loop reads a request that was sent after a save, and has not looked for file events since", {
  skip,
}, () => {
  let files: TempApp;
  let relayed: RelayedApp;
  let watch: FolderWatch;
  let server: net.Server;
  /** Its bytes are read before those of `client`. */
  let other: Socket;
  let onOther: (text: string) => void = () => {};
  let client: Socket;
  let onEvent = () => {};
  let received = "";

  before(async () => {
    files = new TempApp({ "file.js": "0" });
    relayed = await RelayedApp.start(app);
    const established = new Promise<void>((resolve) => {
      watch = watchFolder(files.folder, {
        event: () => onEvent(),
        established: resolve,
        missing: () => assert.fail("the folder is missing"),
        failed: (error) => assert.fail(error),
      });
    });
    server = net.createServer((socket) => socket.on("data", (bytes) => onOther(String(bytes)))).listen(0, "127.0.0.1");
    await within(Promise.all([established, once(server, "listening")]), "the watch and the server");
    other = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
    client = net.connect({ port: relayed.port, host: "127.0.0.1", noDelay: true });
    client.setEncoding("latin1").on("data", (text: string) => {
      received += text;
    });
    await within(Promise.all([once(other, "connect"), once(client, "connect")]), "the connections");
  });
  after(async () => {
    for (const socket of [client, other]) socket.destroy();
    watch.close();
    server.close();
    await relayed.close();
    await files[Symbol.asyncDispose]();
  });

  const answered = (what: string) =>
    eventually(
      async () => received,
      (text) => text.includes(what),
      `the answer to ${what}`,
    );

  /** Sends a first request, and later the second one, in the same moment as a save. `first` and `then`: see the tests. */
  async function saveBetween(first: () => void, then: () => void): Promise<void> {
    const last = relayed.table.length - 1;
    Atomics.store(relayed.table, last, 0);
    received = "";
    const noticed = new Promise<void>((resolve) => {
      onEvent = () => {
        onEvent = () => {};
        relayed.closeGate();
        resolve();
      };
    });
    const over = new Promise<string>((resolve) => {
      onOther = (text) => {
        if (!text.includes("then")) return;
        // The beginning of the second request has been found readable, and will be read next, with the rest of it.
        files.write("file.js", String(Math.random()));
        client.write("\r\n");
        setImmediate(then);
        setImmediate(() => resolve(Atomics.wait(relayed.table, last, 0, BLOCKED_MS)));
      };
    });
    // The system tells of connections in the order in which they have become readable, or in that of the time before.
    setImmediate(() => {
      other.write("first");
      first();
      setImmediate(() => {
        other.write("then");
        client.write(SECOND);
      });
    });
    assert.equal(await within(over, "the save"), "timed-out", "the second request waits");
    await within(noticed, "the file event");
    await relayed.openGate();
    await answered("/first");
    await answered("/second");
  }

  test("in the turns that a request before it waits for", async () => {
    for (let round = 0; round < 5; round++)
      await saveBetween(
        () => client.write(FIRST),
        () => {},
      );
  });

  test("while the gate lets a request before it pass", async () => {
    for (let round = 0; round < 5; round++) {
      let letPass: (verdict: Verdict) => void = () => {};
      const verdict = new Promise<Verdict>((resolve) => {
        letPass = resolve;
      });
      relayed.verdict = () => verdict;
      client.write(FIRST);
      await eventually(
        async () => relayed.front.held,
        (count) => count === 1,
        "the first request to wait",
      );
      await saveBetween(
        () => {},
        () => letPass(PASS),
      );
      relayed.verdict = () => PASS;
    }
  });
});
