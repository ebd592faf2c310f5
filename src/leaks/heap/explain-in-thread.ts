/** Has a heap snapshot read in a thread that ends with it: the calling thread goes on serving meanwhile. */
import { Worker } from "node:worker_threads";
import type { Holder } from "./path-text.js";

/**
 * Marker -> the chain of holders; markers of what is not alive any more are absent.
 * @throws Error when the file is not a whole snapshot.
 */
export function explainInThread(file: string, markers: readonly string[]): Promise<ReadonlyMap<string, Holder[]>> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("./explain-thread.js", import.meta.url), {
      workerData: { file, markers },
      // Not what the app's process was started with: a preloaded module has no business here.
      execArgv: [],
      env: {},
    });
    let chains: ReadonlyMap<string, Holder[]> | undefined;
    thread.once("message", (message: ReadonlyMap<string, Holder[]>) => {
      chains = message;
    });
    thread.once("error", reject);
    thread.once("exit", () => {
      if (chains) resolve(chains);
      else reject(new Error("the thread that reads the heap snapshot ended early"));
    });
  });
}
