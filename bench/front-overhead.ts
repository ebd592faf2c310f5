/**
 * What the relay costs: CPU time of the whole server process per tiny request, behind the front and bare. One process
 * serves, another one loads it over kept connections; the two servers are measured in turns, several times, because the
 * machine's speed drifts. Isolated from everything else: no supervisor, no watching, a gate that always passes.
 *
 *     node front-overhead.js [connections] [seconds for each turn] [turns]
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { HELD_DEADLINE_MS } from "../src/common/deadlines.js";
import { createConnectionTable } from "../src/common/protocol/connection-table.js";
import { Front } from "../src/front/front.js";
import { PASS } from "../src/front/turn.js";
import { DEFAULT_HELD_BYTES } from "../src/options/defaults.js";
import type { ListenRequest } from "../workers/listener/listen-context.js";
import { installVirtualListen } from "../workers/listener/virtual-listen.js";

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const file = fileURLToPath(import.meta.url);

interface Turn {
  requests: number;
  seconds: number;
  /** Of the server process. */
  cpuMicros: number;
}

const role = isMainThread ? (process.env.FRONT_OVERHEAD_ROLE ?? "bench") : "worker";
if (role === "bare") await serveBare();
else if (role === "relayed") await serveRelayed();
else if (role === "worker") listenInWorker();
else if (role === "load") await load();
else await bench();

async function bench(): Promise<void> {
  const [connections = 10, seconds = 3, turns = 5] = process.argv.slice(2).map(Number);
  const bare = await startServer("bare");
  const relayed = await startServer("relayed");
  const ratios: number[] = [];
  await measure(bare, connections, 1);
  await measure(relayed, connections, 1);
  for (let turn = 0; turn < turns; turn++) {
    const without = await measure(bare, connections, seconds);
    const behind = await measure(relayed, connections, seconds);
    const ratio = cpuPerRequest(behind) / cpuPerRequest(without);
    ratios.push(ratio);
    console.log(
      `turn ${turn + 1}: bare ${describe(without)}, relayed ${describe(behind)}, CPU ratio ${ratio.toFixed(2)}`,
    );
  }
  ratios.sort((one, other) => one - other);
  console.log(
    `${connections} connections, CPU per request relative to bare, median: ${ratios[turns >> 1]?.toFixed(2)}`,
  );
  bare.child.disconnect();
  relayed.child.disconnect();
}

function describe(turn: Turn): string {
  return `${cpuPerRequest(turn).toFixed(1)} us CPU, ${Math.round(turn.requests / turn.seconds)}/s`;
}

function cpuPerRequest(turn: Turn): number {
  return turn.cpuMicros / turn.requests;
}

interface ServerProcess {
  child: ChildProcess;
  port: number;
}

async function startServer(kind: "bare" | "relayed"): Promise<ServerProcess> {
  const child = fork(file, { env: { ...process.env, FRONT_OVERHEAD_ROLE: kind } });
  const [port] = (await once(child, "message")) as [number];
  return { child, port };
}

async function measure(server: ServerProcess, connections: number, seconds: number): Promise<Turn> {
  const before = await cpuOf(server);
  const loader = fork(file, [String(server.port), String(connections), String(seconds)], {
    env: { ...process.env, FRONT_OVERHEAD_ROLE: "load" },
  });
  const [requests] = (await once(loader, "message")) as [number];
  const cpuMicros = (await cpuOf(server)) - before;
  return { requests, seconds, cpuMicros };
}

async function cpuOf({ child }: ServerProcess): Promise<number> {
  child.send("cpu");
  const [micros] = (await once(child, "message")) as [number];
  return micros;
}

/** Tells the bench the port and, when asked, the CPU time used so far; ends with it. */
function report(port: number): void {
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.(port);
}

async function serveBare(): Promise<void> {
  const server = createServer((_, response) => response.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address === "object" && address !== null) report(address.port);
}

async function serveRelayed(): Promise<void> {
  const socketFolder = mkdtempSync(path.join(tmpdir(), "ur-bench-"));
  process.on("exit", () => rmSync(socketFolder, { recursive: true, force: true }));
  const table = createConnectionTable();
  const front = new Front({
    gate: { check: () => PASS },
    table,
    heldDeadline: HELD_DEADLINE_MS,
    heldBytes: DEFAULT_HELD_BYTES,
  });
  const worker = new Worker(new URL(import.meta.url), { workerData: { table: table.buffer, socketFolder } });
  const [request] = (await once(worker, "message")) as [ListenRequest];
  const address = await front.open({ ...request, epoch: 1 });
  if (typeof address === "object") report(address.port);
}

function listenInWorker(): void {
  const { table, socketFolder } = workerData as { table: SharedArrayBuffer; socketFolder: string };
  installVirtualListen({
    table: new Int32Array(table),
    socketFolder,
    answerTimeoutMs: 5000,
    currentModule: () => undefined,
    clock: () => performance.now(),
    requestListen: (request) => {
      parentPort?.postMessage(request);
      return new Promise(() => {});
    },
    reportClosed: () => {},
    reportReleased: () => {},
  });
  createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
}

/** Keeps one request in flight on each connection; all answers have the length of the first one. */
async function load(): Promise<void> {
  const [port = 0, connections = 1, seconds = 1] = process.argv.slice(2).map(Number);
  let requests = 0;
  let stopping = false;
  const done = Array.from({ length: connections }, () => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let length = 0;
    let received = 0;
    socket.on("data", (bytes: Buffer) => {
      received += bytes.length;
      if (length === 0) {
        const end = bytes.indexOf("\r\n\r\n");
        length = end + 4 + Number(/content-length: (\d+)/i.exec(bytes.toString("latin1"))?.[1]);
      }
      if (received < length) return;
      received = 0;
      requests++;
      if (stopping) socket.destroy();
      else socket.write(REQUEST);
    });
    socket.write(REQUEST);
    return once(socket, "close");
  });
  setTimeout(() => {
    stopping = true;
  }, seconds * 1000);
  await Promise.all(done);
  process.send?.(requests);
  process.disconnect();
}
