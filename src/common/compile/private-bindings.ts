/** The top-level bindings that a module does not export, and the text by which the runtime can read them. */
import { addLexicalNames, addVarNames, propertyKey } from "./bindings.js";
import { namesWithoutState } from "./evaluation-effects.js";
import type { Program } from "./syntax-tree.js";

/**
 * `() => ({ name: () => name, ... })` over what `let`, `const`, `var`, `class` and `function` declare at the top of
 * `program` and others may change; undefined when nothing is left. A function, so that a start pays only for its text. `exported` are the names
 * (the local ones) that need no second way to be read.
 */
export function privateGetters(program: Program, exported: ReadonlySet<string>): string | undefined {
  const names = new Set<string>();
  const add = (name: string): void => {
    if (!exported.has(name)) names.add(name);
  };
  const statements = program.body.map((statement) =>
    "declaration" in statement && statement.declaration ? statement.declaration : statement,
  );
  addLexicalNames(statements, add);
  for (const statement of statements) addVarNames(statement, add, () => false);
  // Each getter costs a start 3 us when it is asked for.
  for (const name of namesWithoutState(statements)) names.delete(name);
  if (names.size === 0) return undefined;
  return `() => ({ ${[...names].map((name) => `${propertyKey(name)}: () => ${name}`).join(", ")} })`;
}
