/** What the top level of an ES module declares, imports aside. */
import { addLexicalNames, addVarNames } from "./bindings.js";
import type { Program } from "./syntax-tree.js";

export function declares({ body }: Program, name: string): boolean {
  let declared = false;
  const add = (found: string): void => {
    declared ||= found === name;
  };
  const statements = body.map((statement) =>
    "declaration" in statement && statement.declaration ? statement.declaration : statement,
  );
  addLexicalNames(statements, add);
  for (const statement of statements) addVarNames(statement, add, () => false);
  return declared;
}

/** `const require = createRequire(import.meta.url)`: its literal calls are known as well as any others. */
export function createsRequire({ body }: Program): boolean {
  return body.some(
    (statement) =>
      statement.type === "VariableDeclaration" &&
      statement.declarations.some(
        ({ id, init }) =>
          id.type === "Identifier" &&
          id.name === "require" &&
          init?.type === "CallExpression" &&
          init.arguments[0]?.type === "MemberExpression" &&
          init.arguments[0].object.type === "MetaProperty",
      ),
  );
}
