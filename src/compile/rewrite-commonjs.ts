/** CommonJS text for the runtime: only `import()` and a hashbang are touched. */
import { addLexicalNames } from "./bindings.js";
import { findReferences, type LoweredSyntax } from "./references.js";
import { type Rewritten, requiredSpecifier, rewriteDynamicImport, rewriteHashbang } from "./rewrite.js";
import { type Program, SyntaxProblem } from "./syntax-tree.js";
import { TextEdits } from "./text-edits.js";

const WRAPPER_NAMES: ReadonlySet<string> = new Set(["exports", "require", "module", "__filename", "__dirname"]);
const REQUIRE: ReadonlySet<string> = new Set(["require"]);

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

/** Edits for a text parsed as CommonJS. Throws SyntaxProblem for what cannot be compiled. */
export function rewriteCommonJs(text: string, program: Program): Rewritten {
  const edits = new TextEdits();
  const requires = new Set<string>();
  const dynamicImports = new Set<string>();
  const lowered = new Set<LoweredSyntax>();
  rewriteHashbang(text, edits);
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
    lowered: (syntax) => lowered.add(syntax),
  });
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
