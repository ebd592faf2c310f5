/** What both rewriters give: edits to a text, and what was seen on the way. */
import type { CompiledModule, PassedOn } from "./compiled-module.js";
import type { LoweredSyntax } from "./reference.js";
import type { ImportExpression, Node } from "./syntax-tree.js";
import { SyntaxProblem } from "./syntax-tree.js";
import type { TextEdits } from "./text-edits.js";

export interface Rewritten
  extends Pick<
    CompiledModule,
    "prologue" | "imports" | "exports" | "stars" | "requires" | "dynamicImports" | "topLevelAwait"
  > {
  readonly edits: TextEdits;
  readonly passedOn?: readonly PassedOn[];
  /** Syntax that must be compiled away first, with the offset of its first place; the rest is worthless then. */
  readonly lowered: ReadonlyMap<LoweredSyntax, number>;
}

/** `#!...` is a comment only at the very start of a script: inside a function it becomes one (same length). */
export function rewriteHashbang(text: string, edits: TextEdits): void {
  if (text.startsWith("#!")) edits.replace(0, 2, "//");
}

/** `import(...)` to `__ur.import(...)`; the specifier if it is a literal. */
export function rewriteDynamicImport(node: ImportExpression, edits: TextEdits): string | undefined {
  if (node.phase) throw unsupportedPhase(node.phase, node.start);
  edits.replace(node.start, node.start + "import".length, "__ur.import");
  return literalText(node.source);
}

export function unsupportedPhase(phase: string, offset: number): SyntaxProblem {
  return new SyntaxProblem(`"import ${phase}" is not supported: write a plain import`, offset);
}

/** The specifier of `require("literal")`, given its callee's parent. */
export function requiredSpecifier(parent: Node): string | undefined {
  if (parent.type !== "CallExpression") return undefined;
  const [argument] = parent.arguments;
  return argument && literalText(argument);
}

function literalText(node: Node): string | undefined {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TemplateLiteral" && node.expressions.length === 0) {
    return node.quasis[0]?.value.cooked ?? undefined;
  }
  return undefined;
}
