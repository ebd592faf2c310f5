/**
 * What stands before a module that was rewritten for Node's own CommonJS loader: its exports, and then what it imports, as
 * tsc has it. On one line, because the lines of the text must stay where they are.
 */
import type { ImportRecord } from "./compiled-module.js";

/** `esModule`: an import of CommonJS reads as with esModuleInterop; `callable`: it is what `require` gives. */
export type CommonJsInterop = "esModule" | "callable";

/** The variable that an import is read from. */
export function variable(index: number): string {
  return `__ur${index}`;
}

/** `getters` are the texts of properties: `name: () => value`. Exports come first: a cycle of imports may read them. */
export function commonJsPrologue(
  imports: readonly ImportRecord[],
  getters: readonly string[],
  stars: readonly number[],
  interop: CommonJsInterop,
): string {
  const wraps = imports.map(({ names, whole }) => interop === "esModule" && (whole || names.includes("default")));
  const required = imports.map(({ specifier }, index) => {
    const loaded = `require(${JSON.stringify(specifier)})`;
    return `${variable(index)} = ${wraps[index] ? `__ur.namespace(${loaded})` : loaded}`;
  });
  const members = [
    "meta: {}",
    OBJECT,
    EXPORTS,
    ...(wraps.includes(true) ? [NAMESPACE] : []),
    ...(stars.length > 0 ? [STAR] : []),
  ];
  return [
    `const __ur = { ${members.join(", ")} };`,
    `__ur.exports(exports, { ${getters.join(", ")} });`,
    ...(required.length > 0 ? [`var ${required.join(", ")};`] : []),
    ...stars.map((index) => `__ur.star(exports, ${variable(index)});`),
    "",
  ].join(" ");
}

/** Not `Object`: the module may declare a variable of that name. */
const OBJECT = "object: ({}).constructor";

const EXPORTS = oneLine(`exports(target, getters) {
  __ur.object.defineProperty(target, "__esModule", { value: true });
  for (const name in getters) __ur.object.defineProperty(target, name, { enumerable: true, get: getters[name] });
}`);

const NAMESPACE = oneLine(`namespace(loaded) {
  if (loaded?.__esModule) return loaded;
  const namespace = { __proto__: null };
  if (typeof loaded === "object" || typeof loaded === "function")
    for (const name of __ur.object.getOwnPropertyNames(loaded ?? {}))
      __ur.object.defineProperty(namespace, name, { enumerable: true, configurable: true, get: () => loaded[name] });
  return __ur.object.defineProperty(namespace, "default", { enumerable: true, configurable: true, value: loaded });
}`);

const STAR = oneLine(`star(target, loaded) {
  for (const name in loaded)
    if (name !== "default" && !__ur.object.hasOwn(target, name))
      __ur.object.defineProperty(target, name, { enumerable: true, configurable: true, get: () => loaded[name] });
}`);

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
