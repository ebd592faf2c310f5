/**
 * Loaded before each file of `npm run test:unit`: a test that starts a process or a thread fails, with what to do. Such tests
 * are slow, and their place is test/e2e.
 */
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";

function refuse(what: string): never {
  throw new Error(`a test of test/unit called ${what}: it starts nothing; move it to test/e2e`);
}

// The process that runs the files one by one is not one of them.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  for (const name of ["exec", "execFile", "execFileSync", "execSync", "fork", "spawn", "spawnSync"] as const)
    childProcess[name] = (() => refuse(name)) as never;
  workerThreads.Worker = class {
    constructor() {
      refuse("Worker");
    }
  } as never;
  syncBuiltinESMExports();
}
