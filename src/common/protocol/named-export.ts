/** The value of an autoloaded name in what a file exports. */

/** The export of that name, else the default export, else all that the file exports. */
export function namedExport(exports: unknown, name: string): unknown {
  if ((typeof exports !== "object" && typeof exports !== "function") || exports === null) return exports;
  for (const key of [name, "default"]) if (key in exports) return Reflect.get(exports, key);
  return exports;
}
