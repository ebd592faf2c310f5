/** What the command line loads before anything else. */
export { AppProcess } from "./app-process.js";
export { SpareThread } from "./spare-thread.js";
