/**
 * The first thing in the app's thread on Node before 22.15, where there are no synchronous hooks: a `fs.readFileSync` that lets
 * workers/runtime/package-imports.ts see the texts of ES modules. Node's loader takes the function when it is loaded, which an ES
 * module would be too late for. CommonJS for that reason, and loaded by its path.
 */
{
  const fs: typeof import("node:fs") = require("node:fs");
  const { readFileSync } = fs;
  type Read = (this: unknown, ...args: unknown[]) => unknown;
  type Change = (args: readonly unknown[], read: unknown, caller: Read) => unknown;

  const read: Read = function (...args) {
    const bytes: unknown = Reflect.apply(readFileSync, this, args);
    if (!(args[0] instanceof URL)) return bytes;
    const change = Reflect.get(globalThis, Symbol.for("unreloader.readByLoader")) as Change | undefined;
    return change ? change(args, bytes, read) : bytes;
  };
  Object.defineProperties(read, Object.getOwnPropertyDescriptors(readFileSync));
  fs.readFileSync = read as typeof readFileSync;
}
