/** Names: which a piece of syntax declares, which texts are some, and how others are written where one could stand. */
import { forEachChild, type Node } from "./syntax-tree.js";

/** Adds the names that a binding pattern (or a single identifier) declares. */
export function addPatternNames(pattern: Node | null | undefined, add: (name: string) => void): void {
  switch (pattern?.type) {
    case "Identifier":
      add(pattern.name);
      return;
    case "ObjectPattern":
      for (const property of pattern.properties) {
        addPatternNames(property.type === "RestElement" ? property.argument : property.value, add);
      }
      return;
    case "ArrayPattern":
      for (const element of pattern.elements) addPatternNames(element, add);
      return;
    case "AssignmentPattern":
      addPatternNames(pattern.left, add);
      return;
    case "RestElement":
      addPatternNames(pattern.argument, add);
  }
}

/** Adds what `let`, `const`, `using`, `class` and (in blocks) `function` declare directly in a list of statements. */
export function addLexicalNames(statements: readonly Node[], add: (name: string) => void): void {
  for (const statement of statements) {
    if (statement.type === "VariableDeclaration") {
      if (statement.kind === "var") continue;
      for (const declarator of statement.declarations) addPatternNames(declarator.id, add);
    } else if (statement.type === "FunctionDeclaration" || statement.type === "ClassDeclaration") {
      if (statement.id) add(statement.id.name);
    }
  }
}

/**
 * Adds what `var` declares anywhere in `node`, functions and classes inside it excepted. `skip` may cut off subtrees that
 * are known to contain no tracked name.
 */
export function addVarNames(node: Node, add: (name: string) => void, skip: (node: Node) => boolean): void {
  // Only statements hold declarations, once functions and classes are left out.
  if (skip(node) || node.type.endsWith("Expression")) return;
  switch (node.type) {
    case "FunctionDeclaration":
    case "ClassDeclaration":
    case "ExpressionStatement":
      return;
    case "VariableDeclaration":
      if (node.kind === "var") for (const declarator of node.declarations) addPatternNames(declarator.id, add);
      return;
  }
  forEachChild(node, (child) => addVarNames(child, add, skip));
}

/** Tried first: most names are ASCII, and the other pattern is slow. */
const plainName = /^[\w$]+$/;
const identifierName = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

export function isName(text: string): boolean {
  const first = text.charCodeAt(0);
  return plainName.test(text) ? first < 48 || first > 57 : identifierName.test(text);
}

/** A key for an object literal; computed for the one name that would set the prototype instead. */
export function propertyKey(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return isName(name) ? name : JSON.stringify(name);
}
