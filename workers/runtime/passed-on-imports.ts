/** Exports that only pass on an import (`export { a } from`, `import { a } ...; export { a }`), read off the prologue. */
import type { CompiledModule } from "../../src/common/compile/compiled-module.js";
import { WHOLE_NAMESPACE } from "./export-names.js";

/** The compiler writes each export as `key: () => expression`; these are the expressions that read an import. */
const PASSED_ON =
  /([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*|\[?"(?:[^"\\]|\\.)*"\]?): \(\) => (?:__ur(\d+)(?:\.([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)|\["((?:[^"\\]|\\.)*)"\])|__ur\.namespace\((\d+)\))(?=[ ,])/gu;

/** Exported name to the module (its entry in `keys`, parallel to `imports`) and the name there. */
export function passedOnImports(
  { prologue }: CompiledModule,
  keys: readonly string[],
): Map<string, { target: string; name: string }> {
  const found = new Map<string, { target: string; name: string }>();
  for (const [, key = "", index, plain, quoted, whole] of prologue.matchAll(PASSED_ON)) {
    const exported = key.includes('"') ? unquote(key.replace(/^\[?"|"\]?$/g, "")) : key;
    const target = keys[Number(index ?? whole)];
    if (target === undefined) continue;
    found.set(exported, { target, name: whole === undefined ? (plain ?? unquote(quoted ?? "")) : WHOLE_NAMESPACE });
  }
  return found;
}

function unquote(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}
