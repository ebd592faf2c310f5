/** What this thread is, before the app sees `node:worker_threads` as a main thread does. */
import { type MessagePort, parentPort, threadId } from "node:worker_threads";

export const OWN_THREAD_ID: number = threadId;

export const OWN_PARENT_PORT: MessagePort | null = parentPort;
