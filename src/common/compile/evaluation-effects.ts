/**
 * What the top level of a module's text can do to the state of other modules, and others to its own: as far as can be
 * seen from the text. Most modules only declare, and need not be watched when they are evaluated for the first time.
 */
import { addPatternNames, addVarNames } from "./bindings.js";
import { type Memo, memosOf } from "./memos.js";
import { type PackageStatement, packageStatementsOf } from "./package-statements.js";
import { type Class, forEachChild, type Node, type Program } from "./syntax-tree.js";

export interface EvaluationEffects {
  /** The top level calls nothing, but for `require()` and the like, and assigns only to its own names and exports. */
  readonly passive: boolean;
  /** There is nothing to write to but the properties of functions, classes and the exports themselves. */
  readonly stateless: boolean;
  /** Names of what is a function and keeps no variables but the module's own. */
  readonly functions: readonly string[];
  /** Absent: there are none. */
  readonly memos?: readonly Memo[];
  /** Absent: there are none. */
  readonly packageStatements?: readonly PackageStatement[];
}

export function evaluationEffects(program: Program, source: string): EvaluationEffects {
  const packageStatements = packageStatementsOf(program, source);
  const stateless = !program.body.some(holdsState);
  const memos = memosOf(program);
  return {
    passive: !program.body.some(acts),
    stateless,
    functions: topFunctionNames(program),
    ...(memos.length > 0 && { memos }),
    ...(packageStatements.length > 0 && { packageStatements }),
  };
}

/**
 * Names that statements at the top declare and that hold nothing to be written to: what is required, constants,
 * functions. Those that may stand for classes are left out.
 */
export function namesWithoutState(statements: readonly Node[]): Set<string> {
  const names = new Set<string>();
  for (const statement of statements) {
    if (statement.type === "FunctionDeclaration" && statement.id && !/^[A-Z]/.test(statement.id.name)) {
      names.add(statement.id.name);
    }
    if (statement.type !== "VariableDeclaration") continue;
    for (const { id, init } of statement.declarations) {
      const isHeld =
        !init || init.type === "Identifier" || !isFixed(init) || (statement.kind !== "const" && !isRequired(init));
      if (!isHeld) addPatternNames(id, (name) => names.add(name));
    }
  }
  return names;
}

/** Whether evaluating the node may run code of others, or write to what is theirs. */
function acts(node: Node): boolean {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return false;
    case "ClassDeclaration":
    case "ClassExpression":
      return classActs(node);
    case "CallExpression":
      if (!isHarmlessCall(node.callee)) return true;
      break;
    case "NewExpression":
      if (node.callee.type !== "Identifier" || !HARMLESS_CLASSES.has(node.callee.name)) return true;
      break;
    case "AssignmentExpression":
      if (node.left.type !== "Identifier" && !isExports(node.left)) return true;
      break;
    case "UpdateExpression":
      return node.argument.type !== "Identifier";
    case "TaggedTemplateExpression":
    case "ImportExpression":
    case "AwaitExpression":
      return true;
    case "UnaryExpression":
      if (node.operator === "delete") return true;
  }
  let found = false;
  forEachChild(node, (child) => {
    found ||= acts(child);
  });
  return found;
}

function classActs({ superClass, decorators, body }: Class): boolean {
  if (decorators.length > 0 || (superClass && acts(superClass))) return true;
  return body.body.some((member) => {
    if (member.type === "StaticBlock") return true;
    if ("decorators" in member && member.decorators.length > 0) return true;
    if ("computed" in member && member.computed && acts(member.key)) return true;
    return member.type === "PropertyDefinition" && member.static && member.value !== null && acts(member.value);
  });
}

const HARMLESS_CLASSES: ReadonlySet<string> = new Set(["Map", "Set", "WeakMap", "WeakSet", "Date", "Error", "URL"]);

/** `require(...)`, `Symbol(...)`, `Object.freeze(...)`, `Symbol.for(...)`. */
function isHarmlessCall(callee: Node): boolean {
  if (callee.type === "Identifier") return callee.name === "require" || callee.name === "Symbol";
  if (callee.type !== "MemberExpression" || callee.object.type !== "Identifier") return false;
  const { object, property } = callee;
  if (property.type !== "Identifier") return false;
  return (
    (object.name === "Object" && property.name === "freeze") || (object.name === "Symbol" && property.name === "for")
  );
}

/** `exports`, `exports.name`, `module.exports`, `module.exports.name`. */
function isExports(node: Node): boolean {
  if (node.type === "Identifier") return node.name === "exports";
  if (node.type !== "MemberExpression") return false;
  const { object, property } = node;
  if (object.type === "Identifier" && object.name === "module") {
    return property.type === "Identifier" && property.name === "exports";
  }
  return isExports(object);
}

/** Whether a statement at the top declares or exports something that others can change. */
function holdsState(statement: Node): boolean {
  switch (statement.type) {
    case "VariableDeclaration":
      return statement.declarations.some(
        ({ init }) =>
          !init || init.type === "Identifier" || !isFixed(init) || (statement.kind !== "const" && isPrimitive(init)),
      );
    case "ClassDeclaration":
      return !isFixed(statement);
    case "ExportNamedDeclaration":
      return statement.declaration !== null && holdsState(statement.declaration as Node);
    case "ExportDefaultDeclaration":
      return !isFixed(statement.declaration as Node);
    case "ExpressionStatement":
      return exportsState(statement.expression);
    case "FunctionDeclaration":
    case "ImportDeclaration":
    case "ExportAllDeclaration":
      return false;
    default:
      return declaresVariable(statement);
  }
}

function exportsState(expression: Node): boolean {
  if (expression.type !== "AssignmentExpression") return false;
  const { left, right } = expression;
  if (left.type === "Identifier") return !isFixed(right);
  if (!isExports(left)) return false;
  if (right.type === "AssignmentExpression") return exportsState(right);
  if (right.type !== "ObjectExpression") return !isFixed(right);
  return right.properties.some((property) => property.type === "SpreadElement" || !isFixed(property.value));
}

/** A value that cannot be changed, or that belongs to another module. */
function isFixed(node: Node): boolean {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
    case "Identifier":
      return true;
    case "ClassDeclaration":
    case "ClassExpression":
      return !node.body.body.some(
        (member) => member.type === "StaticBlock" || (member.type === "PropertyDefinition" && member.static),
      );
    case "CallExpression":
      return isRequired(node);
    case "MemberExpression":
      return isFixed(node.object);
    default:
      return isPrimitive(node);
  }
}

/** `require(...)`, `require(...).name` */
function isRequired(node: Node | null): boolean {
  if (node?.type === "MemberExpression") return isRequired(node.object);
  return node?.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name === "require";
}

function isPrimitive(node: Node): boolean {
  switch (node.type) {
    case "Literal":
      return !("regex" in node);
    case "TemplateLiteral":
      return node.expressions.every(isPrimitive);
    case "UnaryExpression":
      return isPrimitive(node.argument);
    case "BinaryExpression": {
      let isSo = true;
      forEachChild(node, (operand) => {
        isSo &&= isPrimitive(operand);
      });
      return isSo;
    }
    default:
      return false;
  }
}

function declaresVariable(statement: Node): boolean {
  let found = false;
  addVarNames(
    statement,
    () => {
      found = true;
    },
    () => false,
  );
  return found;
}

/**
 * The functions that the top level makes itself, by the names that its bindings, exports and object literals give them: they
 * keep no variables but the module's own. One set for all: a property that bears the name of a function at the top is taken for that one.
 * Names are sorted.
 */
function topFunctionNames({ body }: Program): string[] {
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

function nameOf(node: Node): string | undefined {
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}
