/**
 * The functions that the top level of a module's text makes itself, by the names that its bindings, exports and object
 * literals give them: they keep no variables but the module's own.
 */
import { addPatternNames } from "./bindings.js";
import { forEachChild, type Node, type Program } from "./syntax-tree.js";

/** One set for all: a property that bears the name of a function at the top is taken for that one. Names are sorted. */
export function topFunctionNames({ body }: Program): string[] {
  const names = new Set<string>();
  const aliases: { name: string; of: string }[] = [];
  const note = (name: string | undefined, value: Node | null | undefined): void => {
    if (name === undefined || !value) return;
    if (isFunction(value)) names.add(name);
    else if (value.type === "Identifier") aliases.push({ name, of: value.name });
  };
  const visit = (node: Node): void => {
    switch (node.type) {
      case "FunctionDeclaration":
      case "ClassDeclaration":
        if (node.id) names.add(node.id.name);
        return;
      case "FunctionExpression":
      case "ArrowFunctionExpression":
      case "ClassExpression":
        return;
      case "ImportDeclaration":
        for (const { local } of node.specifiers) names.add(local.name);
        return;
      case "ExportDefaultDeclaration":
        note("default", node.declaration as Node);
        break;
      case "ExportSpecifier":
        note(nameOf(node.exported), node.local as Node);
        return;
      case "VariableDeclarator":
        if (isRequired(node.init)) addPatternNames(node.id, (name) => names.add(name));
        else if (node.id.type === "Identifier") note(node.id.name, node.init);
        break;
      case "Property":
        if (!node.computed) note(nameOf(node.key), node.value);
        break;
      case "AssignmentExpression":
        if (node.left.type === "MemberExpression" && !node.left.computed) note(nameOf(node.left.property), node.right);
    }
    forEachChild(node, visit);
  };
  for (const statement of body) visit(statement);
  for (const { name, of } of aliases) if (names.has(of)) names.add(name);
  return [...names].sort();
}

function isFunction({ type }: Node): boolean {
  switch (type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
    case "ClassDeclaration":
    case "ClassExpression":
      return true;
    default:
      return false;
  }
}

/** `require(...)`, `require(...).name` */
function isRequired(node: Node | null): boolean {
  if (node?.type === "MemberExpression") return isRequired(node.object);
  return node?.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name === "require";
}

function nameOf(node: Node): string | undefined {
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}
