/** CommonJS text for the runtime: only `import()`, a hashbang and classes are touched, and something may follow the end. */
import { addLexicalNames } from "./bindings.js";
import { insertCells } from "./cells.js";
import { registerClass, registerDecorated } from "./class-registration.js";
import { privateGetters } from "./private-bindings.js";
import type { LoweredSyntax } from "./reference.js";
import { findReferences } from "./references.js";
import { type Rewritten, requiredSpecifier, rewriteDynamicImport, rewriteHashbang } from "./rewrite.js";
import { type Program, SyntaxProblem } from "./syntax-tree.js";
import { TextEdits } from "./text-edits.js";

const WRAPPER_NAMES: ReadonlySet<string> = new Set(["exports", "require", "module", "__filename", "__dirname"]);
const REQUIRE: ReadonlySet<string> = new Set(["require"]);
const NONE: ReadonlySet<string> = new Set();

/**
 * A name of the CommonJS wrapper that the text declares at its top level by `let`, `const`, `class` (a syntax error in
 * CommonJS, and for Node one of the signs that a file is an ES module).
 */
export function redeclaredWrapperName(program: Program): SyntaxProblem | undefined {
  for (const statement of program.body) {
    if (statement.type !== "VariableDeclaration" && statement.type !== "ClassDeclaration") continue;
    let redeclared: string | undefined;
    addLexicalNames([statement], (name) => {
      if (WRAPPER_NAMES.has(name)) redeclared ??= name;
    });
    if (redeclared !== undefined) {
      return new SyntaxProblem(`Identifier '${redeclared}' has already been declared`, statement.start);
    }
  }
  return undefined;
}

/** `-->` is a comment only at the start of a line, which the first one is not inside a function (same length). */
function rewriteClosingComment(text: string, edits: TextEdits): void {
  const [, before = ""] = /^((?:\s|\/\*[\s\S]*?\*\/)*)-->/.exec(text) ?? [];
  if (text.startsWith("-->", before.length)) edits.replace(before.length, before.length + 3, "// ");
}

export interface CommonJsOptions {
  /** The runtime is told of classes and bindings. It is not for the code of packages, which is not its own. */
  readonly own: boolean;
  /** Functions get cells; see cells.ts. */
  readonly cells?: boolean;
}

/** Edits for a text parsed as CommonJS. Throws SyntaxProblem for what cannot be compiled. */
export function rewriteCommonJs(text: string, program: Program, { own, cells }: CommonJsOptions): Rewritten {
  const edits = new TextEdits();
  const requires = new Set<string>();
  const dynamicImports = new Set<string>();
  const lowered = new Map<LoweredSyntax, number>();
  rewriteHashbang(text, edits);
  rewriteClosingComment(text, edits);
  if (own && cells) insertCells(program, text, edits);
  findReferences(program, text, REQUIRE, {
    reference({ called, parent }) {
      const specifier = called ? requiredSpecifier(parent) : undefined;
      if (specifier !== undefined) requires.add(specifier);
    },
    dynamicImport(node) {
      const specifier = rewriteDynamicImport(node, edits);
      if (specifier !== undefined) dynamicImports.add(specifier);
    },
    importMeta(node) {
      throw new SyntaxProblem("Cannot use 'import.meta' outside a module", node.start);
    },
    topLevelAwait() {
      // The parser has refused it already: a CommonJS module has none.
    },
    lowered: (syntax, node) => lowered.has(syntax) || lowered.set(syntax, node.start),
    class(node) {
      if (own) registerClass(node, edits);
    },
    classDecoration(node) {
      if (own) registerDecorated(node, edits);
    },
  });
  const hidden = own ? privateGetters(program, NONE) : undefined;
  // On a line of its own: the last one may be a comment.
  if (hidden !== undefined) edits.insert(text.length, `\n;__ur.scope(${hidden});`);
  return {
    prologue: "",
    edits,
    imports: [],
    exports: [],
    stars: [],
    requires: [...requires],
    dynamicImports: [...dynamicImports],
    topLevelAwait: false,
    lowered,
  };
}
