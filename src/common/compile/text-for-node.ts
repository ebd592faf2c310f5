/**
 * A file as Node's own loader can evaluate it: types stripped and new syntax lowered, but imports and exports left to
 * Node. For `--no-reload`, where a read of an import must cost what it costs without us.
 */
import { pathToFileURL } from "node:url";
import { lexCommonJs } from "./commonjs-lexer.js";
import { deriveLocated, type TextToCompile } from "./compile-text.js";
import { rewriteEsm } from "./rewrite-esm.js";
import { type EncodedSourceMap, makeSourceMap } from "./source-map.js";
import { parse } from "./syntax-tree.js";
import { TextEdits } from "./text-edits.js";

export interface TextForNode {
  readonly format: "module" | "commonjs";
  /** With the source map at its end. */
  readonly text: string;
  /** Names that its own `export` syntax gives, or that Node finds in a text of CommonJS. */
  readonly exports: readonly string[];
  /** Specifiers of what a text of CommonJS passes on all exports of. */
  readonly reexports: readonly string[];
}

/** Throws CompileError with the place in the source. */
export function textForNode(input: TextToCompile): TextForNode {
  const { file, source, kind, settings } = input;
  if (kind.type === "json") throw new TypeError(`${file}: JSON needs no compiling`);
  const { text, maps, declarations, format, interop, rewritten } = deriveLocated(input, kind, true);
  const { exports } = rewritten;
  const strict = format === "esm" && !interop ? "" : settings.alwaysStrict || interop ? '"use strict"; ' : "";
  const converted = interop
    ? rewriteEsm(text, parse(text, "module").program, { commonJsNames: true, forNode: settings.interop })
    : undefined;
  const edits = converted?.edits ?? new TextEdits();
  // Written for our own loader, where `import.meta` has another name.
  const prefix = `${strict}${converted?.prologue ?? ""}${declarations.replace("__ur.meta.url", "import.meta.url")}`;
  const map = makeSourceMap({ url: pathToFileURL(file).href, source, steps: maps, text, edits, prefix });
  const complete = prefix + edits.applyTo(text);
  const lexed = format === "commonjs" ? lexCommonJs(complete) : undefined;
  return {
    format: format === "esm" && !interop ? "module" : "commonjs",
    text: complete + inline(map),
    exports: lexed?.exports ?? exports,
    reexports: lexed?.reexports ?? [],
  };
}

function inline(map: EncodedSourceMap): string {
  const base64 = Buffer.from(JSON.stringify(map)).toString("base64");
  return `\n//# sourceMappingURL=data:application/json;base64,${base64}`;
}
