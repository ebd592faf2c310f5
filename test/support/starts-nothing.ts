/**
 * Loaded before each file of `npm run test:unit`: a test that starts a process or a thread fails, with what to do. Such tests
 * are slow, and their place is test/e2e. Only the compiler's own transformer of rare syntax, esbuild, is one.
 */
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import workerThreads from "node:worker_threads";

const ALLOWED = /[\\/]esbuild[\\/]/;

function check(what: string, target: unknown): void {
  if (ALLOWED.test(String(target))) return;
  throw new Error(`a test of test/unit called ${what} (${String(target)}): it starts nothing; move it to test/e2e`);
}

// The process that runs the files one by one is not one of them.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  for (const name of ["exec", "execFile", "execFileSync", "execSync", "fork", "spawn", "spawnSync"] as const) {
    const original = childProcess[name] as (...args: unknown[]) => unknown;
    childProcess[name] = ((...args: unknown[]) => {
      check(name, args[0]);
      return original.apply(childProcess, args);
    }) as never;
  }
  const { Worker } = workerThreads;
  workerThreads.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      check("Worker", args[0]);
      super(...args);
    }
  };
  syncBuiltinESMExports();
}
