/** `await supervisor.listen()`: it resolves when the app's start is over, however late that is. */
import assert from "node:assert/strict";
import type net from "node:net";
import { describe, test } from "node:test";
import { within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { requestOnce } from "../support/http-client.js";
import { plainMode } from "../support/served-app.js";

const serve = `import http from "node:http";
const server = http.createServer((req, res) => res.end("hello"));
`;

/** How an app may come to listen. */
const starts: Readonly<Record<string, string>> = {
  "with an IPv4 address": `server.listen(0, "127.0.0.1");`,
  "with a name": `server.listen(0, "localhost");`,
  "with options": `server.listen({ port: 0, host: "127.0.0.1" });`,
  "without a host": `server.listen(0);`,
  "after a top-level await": `await new Promise((resolve) => setTimeout(resolve, 30)); server.listen(0, "127.0.0.1");`,
  "after an await in main()": `async function main() {
  await new Promise((resolve) => setTimeout(resolve, 100));
  server.listen(0, "127.0.0.1");
}
void main();`,
  "after work in the thread pool": `import { scrypt } from "node:crypto";
scrypt("a", "b", 64, () => server.listen(0, "localhost"));`,
  "in the callback of another server": `const first = http.createServer(() => {});
first.listen(0, "127.0.0.1", () => first.close(() => server.listen(0, "127.0.0.1")));`,
  "six seconds after its evaluation": `setTimeout(() => server.listen(0, "127.0.0.1"), 6000);`,
};

describe("supervisor.listen()", { skip: plainMode }, () => {
  for (const [how, start] of Object.entries(starts)) {
    test(`resolves with the address when the app listens ${how}`, async () => {
      await using embedded = new EmbeddedApp({ "main.js": serve + start }, "main.js");
      const address = await within(embedded.supervisor.listen(), "listen()");
      assert.ok(address !== undefined && typeof address !== "string", `address: ${JSON.stringify(address)}`);
      assert.ok(address.port > 0);
      const host = address.family === "IPv6" ? "[::1]" : "127.0.0.1";
      assert.equal((await requestOnce(`http://${host}:${address.port}/`)).body, "hello");
    });
  }

  test("resolves when every server that looked up its host is open", async () => {
    const app = `${serve}
const second = http.createServer((req, res) => res.end("second"));
server.listen(0, "127.0.0.1");
second.listen(0, "localhost");
`;
    await using embedded = new EmbeddedApp({ "main.js": app }, "main.js");
    const address = (await within(embedded.supervisor.listen(), "listen()")) as net.AddressInfo;
    const { addresses } = embedded.supervisor.inspect();
    assert.equal(addresses.length, 2);
    assert.deepEqual(addresses[0], address);
  });

  test("resolves with the given port when the app, which is to be there, listens late", async () => {
    const app = `${serve}setTimeout(() => server.listen(1, "127.0.0.1", () => process.emit("app-listens")), 200);\n`;
    await using embedded = new EmbeddedApp({ "main.js": app }, "main.js");
    const address = (await within(embedded.supervisor.listen(0, "127.0.0.1"), "listen()")) as net.AddressInfo;
    assert.equal((await requestOnce(`http://127.0.0.1:${address.port}/`)).body, "hello");
  });

  test("resolves with the address of an exported app", async () => {
    const app = `export default (req, res) => res.end("exported");\n`;
    await using embedded = new EmbeddedApp({ "main.js": app }, "main.js");
    const address = (await within(embedded.supervisor.listen(0, "127.0.0.1"), "listen()")) as net.AddressInfo;
    assert.equal((await requestOnce(`http://127.0.0.1:${address.port}/`)).body, "exported");
  });

  test("resolves with the address of the page when the start fails", async () => {
    for (const app of [`throw new Error("no start");`, `setTimeout(() => { throw new Error("no start"); }, 50);`]) {
      await using embedded = new EmbeddedApp({ "main.js": `${app}\n` }, "main.js");
      const address = (await within(embedded.supervisor.listen(0, "127.0.0.1"), "listen()")) as net.AddressInfo;
      const answer = await requestOnce(`http://127.0.0.1:${address.port}/`);
      assert.equal(answer.status, 500);
      assert.match(answer.body, /no start/);
    }
  });

  test("resolves with undefined when nothing goes on that could still listen", async () => {
    for (const app of ["export const answer = 42;", `import "node:fs"; setInterval(() => {}, 1000).unref();`]) {
      await using embedded = new EmbeddedApp({ "main.js": `${app}\n` }, "main.js");
      assert.equal(await within(embedded.supervisor.listen(), "listen()"), undefined);
    }
  });

  test("resolves when the supervisor is closed meanwhile", async () => {
    await using embedded = new EmbeddedApp({ "main.js": "setInterval(() => {}, 1000);\n" }, "main.js");
    const listening = embedded.supervisor.listen();
    await embedded.supervisor.start();
    await embedded.supervisor.close();
    assert.equal(await within(listening, "listen()"), undefined);
  });
});

describe("supervisor.listen() without reloads", { skip: plainMode }, () => {
  for (const how of [
    "with an IPv4 address",
    "with a name",
    "after an await in main()",
    "six seconds after its evaluation",
  ]) {
    test(`resolves with the address when the app listens ${how}`, async () => {
      await using embedded = new EmbeddedApp({ "main.js": serve + starts[how] }, "main.js", { reload: false });
      const address = await within(embedded.supervisor.listen(), "listen()");
      assert.ok(address !== undefined && typeof address !== "string", `address: ${JSON.stringify(address)}`);
      assert.ok(address.port > 0);
    });
  }
});
