/**
 * Imported by what nearly every test file imports, and no preload, which an app would have as well. When nothing keeps a test process any more, it ends without Node's own clean-up: Node 20 may
 * turn its event loop there for ever, in a process whose threads were ended while they had requests (CleanupHandles).
 */
process.once("beforeExit", () => {
  // Last of all: the test runner has listeners of its own, which decide on the exit code.
  process.once("exit", (code) => {
    (process as unknown as { reallyExit(code: unknown): never }).reallyExit(process.exitCode ?? code);
  });
});
