/** A thread of its own that reads a heap snapshot: seconds of work, and memory that goes with the thread. */
import { parentPort, workerData } from "node:worker_threads";
import { explainSnapshot } from "./explain-snapshot.js";

const { file, markers } = workerData as { file: string; markers: readonly string[] };
parentPort?.postMessage(explainSnapshot(file, new Set(markers)));
