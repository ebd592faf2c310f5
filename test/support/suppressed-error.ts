/**
 * A failed clean-up must not hide why the test failed: the error that `using` makes of the two shows both. Newer
 * versions of Node have a class of this name, which reporters show without what it holds.
 */
class SuppressedError extends Error {
  constructor(error: unknown, suppressed: unknown) {
    super(`${describe(suppressed)}\n\nand the clean-up failed: ${describe(error)}`, { cause: suppressed });
    this.name = "SuppressedError";
  }
}

Object.assign(globalThis, { SuppressedError });

function describe(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
