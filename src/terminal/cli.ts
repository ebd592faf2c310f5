#!/usr/bin/env node
/**
 * The command line. Starts the app's thread first, before anything else is loaded: it loads its runtime while this
 * thread loads the supervisor, which makes a start 100 ms shorter.
 */

const { argv } = process;
// `--no-reload` needs no thread, and must not have loaded what starts one.
const needsNone =
  argv[2] === "explain-leak" || argv.some((flag) => ["-h", "--help", "-v", "--version", "--no-reload"].includes(flag));
const isRun = !needsNone && argv.length > 2;
const first = isRun ? await import("../thread/first-thread.js") : undefined;
const spare = first && new first.SpareThread(new first.AppProcess());
const { runCommandLine } = await import("./command-line.js");
await runCommandLine(argv.slice(2), spare);
