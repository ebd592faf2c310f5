/**
 * Many clients, kept and new connections, small and large bodies in one or more writes, quick, slow and long answers,
 * while the server is replaced again and again as a reload does it: every request is answered once, whole, and by code
 * that is not older than what was there when it was sent.
 */
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { REPLAY_LIMIT } from "../../src/front/replay-buffer.js";
import { PASS, type Verdict } from "../../src/front/turn.js";
import { DEADLINE_MS } from "../support/deadline.js";
import { randomSource } from "../support/random.js";
import { RelayedApp } from "../support/relayed-app.js";

const RELOADS = Number(process.env.UNRELOADER_FUZZ_RELOADS ?? 50);
const CLIENTS = 20;
const LONG_ANSWER = 300_000;

const server = (version: number) => `
  globalThis.begun ??= new Map();
  require("node:http").createServer((req, res) => {
    globalThis.begun.set(req.headers["x-id"], (globalThis.begun.get(req.headers["x-id"]) ?? 0) + 1);
    let size = 0;
    req.on("data", (chunk) => { size += chunk.length; });
    req.on("end", () => {
      const answer = () => {
        res.setHeader("X-Version", "${version}");
        res.end(req.url === "/long" ? Buffer.alloc(${LONG_ANSWER}, 97) : String(size));
      };
      if (req.url === "/slow") setTimeout(answer, 3);
      else answer();
    });
  }).listen(0);
`;

interface Answered {
  status: number | undefined;
  version: number;
  body: string;
}

test("no request is refused, lost, begun twice or answered by old code while its server is replaced", async () => {
  const random = randomSource("reloads under load");
  await using app = await RelayedApp.start(server(0));
  let version = 0;
  let stopping = false;
  let lastId = 0;

  const client = async (agent: http.Agent | false) => {
    while (!stopping) {
      const newest = version;
      const path = random.pick(["/", "/slow", "/long"]);
      const size = random.pick([0, 5, 70_000, REPLAY_LIMIT + 100_000]);
      const ask = { port: app.port, path, agent, headers: { "X-Id": String(++lastId), "Content-Length": size } };
      const answer = await send(ask, size, random.int(1, 3));
      assert.equal(answer.status, 200, `${path} with ${size} bytes: ${answer.body.slice(0, 200)}`);
      assert.ok(answer.version >= newest, `version ${answer.version} answered after ${newest} was there`);
      if (path === "/long") assert.equal(answer.body.length, LONG_ANSWER);
      else assert.equal(answer.body, String(size));
    }
  };
  const agents = Array.from({ length: CLIENTS / 2 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  const clients = Array.from({ length: CLIENTS }, (_, index) => client(agents[index] ?? false));

  const reloads = async () => {
    for (let reload = 1; reload <= RELOADS; reload++) {
      let open = (_: Verdict) => {};
      const opened = new Promise<Verdict>((resolve) => {
        open = resolve;
      });
      app.verdict = () => opened;
      app.closeGate();
      await app.drained(1000);
      await app.release("main");
      await app.run("main", server(reload));
      version = reload;
      await app.openGate();
      app.verdict = () => PASS;
      open(PASS);
      for (let turn = random.below(200); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    }
    stopping = true;
  };
  try {
    await Promise.all([reloads(), ...clients]);
  } finally {
    stopping = true;
    for (const agent of agents) agent.destroy();
  }
  await app.run(
    "main",
    "report([globalThis.begun.size, [...globalThis.begun.values()].filter((times) => times > 1).length])",
  );
  assert.deepEqual(app.reported.at(-1), [lastId, 0]);
});

/** Sends a body of `size` bytes in several writes, a turn apart. */
function send(ask: http.RequestOptions, size: number, writes: number): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...ask, method: "POST", host: "127.0.0.1", timeout: DEADLINE_MS }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode, version: Number(response.headers["x-version"]), body });
      });
    });
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.on("error", reject);
    const body = Buffer.alloc(size, 98);
    const part = Math.ceil(size / writes);
    const write = (from: number) => {
      if (from + part >= size) {
        request.end(body.subarray(from));
        return;
      }
      request.write(body.subarray(from, from + part));
      setImmediate(() => write(from + part));
    };
    write(0);
  });
}
