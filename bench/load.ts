/** Sends requests from a process of its own, so that what is measured is not disturbed by who measures. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Load {
  readonly connections: number;
  /** Over all connections. */
  readonly requests: number;
}

const LOAD_PROCESS = fileURLToPath(new URL("./load-process.js", import.meta.url));

/** The latency of each request, in microseconds. */
export async function applyLoad(port: number, { connections, requests }: Load): Promise<number[]> {
  const child = fork(LOAD_PROCESS, [String(port), String(connections), String(requests)]);
  const exited = once(child, "exit");
  const [latencies] = (await Promise.race([
    once(child, "message"),
    exited.then(([code]) => Promise.reject(new Error(`the load process ended with ${code}`))),
  ])) as [number[]];
  await exited;
  return latencies;
}
