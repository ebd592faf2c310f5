/**
 * Statements that do something to a package, or to what a function is given under its name: `dayjs.extend(utc)`,
 * `axios.defaults.timeout = 5`, `passport.use(...)` in `(passport) => { ... }`. Nobody takes what they give: they are there
 * for what they leave in the package.
 */
import { isBuiltin } from "node:module";
import { addPatternNames } from "./bindings.js";
import { forEachChild, type Node, type Program } from "./syntax-tree.js";

export interface PackageStatement {
  /** Specifier of the import, or name of the parameter. */
  readonly of: string;
  /** What is called or written to, as it stands there: `dayjs.extend`. */
  readonly target: string;
  /** The whole statement, without white space. */
  readonly text: string;
}

/** In source order. */
export function packageStatementsOf(program: Program, source: string): PackageStatement[] {
  const names = packageNames(program);
  const statements: PackageStatement[] = [];
  const add = (node: Node, parameters: Parameters): void => {
    for (const [part, target] of doings(node)) {
      const root = rootOf(target);
      const of = typeof root === "string" ? root : root && (parameters.get(root.name) ?? names.get(root.name));
      if (of === undefined) continue;
      statements.push({ of, target: textOf(target, source), text: textOf(part, source) });
      // What it hands its functions is its own, too: `chai.use((chai) => { ... })`.
      for (const made of part.type === "CallExpression" ? part.arguments : []) {
        if (isFunction(made as Node))
          visitFunction(made as Node, new Map([...parameters, ...parametersOf(made as Node, of)]));
      }
    }
  };
  const visitFunction = (made: Node, parameters: Parameters): void => {
    if (made.type === "ArrowFunctionExpression" && made.expression) add(made.body as Node, parameters);
    forEachChild(made, (child) => visit(child, parameters, false));
  };
  const visit = (node: Node, parameters: Parameters, isTop: boolean): void => {
    if (isFunction(node)) {
      // Of one at the top the importer may hand in a package: `module.exports = (passport) => { ... }`.
      visitFunction(node, isTop ? parametersOf(node) : parameters);
      return;
    }
    if (node.type === "ExpressionStatement") add(node.expression, parameters);
    const staysTop = isTop && node.type !== "CallExpression" && node.type !== "NewExpression";
    forEachChild(node, (child) => visit(child, parameters, staysTop));
  };
  for (const statement of program.body) visit(statement as Node, new Map(), true);
  return unique(statements);
}

/** Name of a parameter to what it stands for: a package, or what is called as the parameter is. */
type Parameters = ReadonlyMap<string, string>;

/** A function that a statement hands over is come across twice. */
function unique(statements: readonly PackageStatement[]): PackageStatement[] {
  const seen = new Set<string>();
  return statements.filter(({ of, text }) => {
    const key = `${of}\n${text}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** What frameworks hand to handlers, which are no packages. */
const OF_HANDLERS =
  /^(?:req|request|res|response|reply|next|ctx|context|app|router|server|fastify|io|socket|err|error|event|e|c)$/;

function isFunction(
  node: Node,
): node is Extract<Node, { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }> {
  return (
    node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression"
  );
}

/** `of`: what they stand for; absent: what they are called. */
function parametersOf(made: Node, of?: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const parameter of "params" in made ? (made.params as Node[]) : []) {
    addPatternNames(parameter, (name) => {
      if (of !== undefined || !OF_HANDLERS.test(name)) names.set(name, of ?? name);
    });
  }
  return names;
}

/** Whether it leads to a package, which is neither Node's nor an own file. */
function isPackage(specifier: string): boolean {
  return /^[@\w]/.test(specifier) && !/^[a-z]+:/.test(specifier) && !isBuiltin(specifier);
}

/** Name of a binding to the specifier of the package that it is of, or is a part of: `const { languages } = Prism`. */
function packageNames({ body }: Program): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const visit = (node: Node): void => {
    if (node.type === "ImportDeclaration") {
      if (!isPackage(node.source.value)) return;
      for (const { local } of node.specifiers) names.set(local.name, node.source.value);
      return;
    }
    if (node.type === "VariableDeclarator" && node.init) {
      const root = rootOf(withoutInterop(node.init));
      const of = typeof root === "string" ? root : root && names.get(root.name);
      // A call gives something else, which is the module's own.
      if (of !== undefined && !isCall(withoutInterop(node.init)))
        addPatternNames(node.id, (name) => names.set(name, of));
    }
    forEachChild(node, visit);
  };
  for (const statement of body) visit(statement as Node);
  return names;
}

/** What compilers write around `require()`: `__importDefault(require("x"))`. */
function withoutInterop(node: Node): Node {
  const [argument] = node.type === "CallExpression" ? node.arguments : [];
  const isWrapped =
    node.type === "CallExpression" && /^__(?:importDefault|importStar|toESM)$/.test(calleeName(node.callee));
  return isWrapped && argument ? (argument as Node) : node;
}

function calleeName(callee: Node): string {
  if (callee.type === "Identifier") return callee.name;
  return callee.type === "MemberExpression" && callee.property.type === "Identifier" ? callee.property.name : "";
}

/** `require("x")` is the package itself. */
function isCall(node: Node): boolean {
  return node.type === "CallExpression" && requiredBy(node) === undefined;
}

function requiredBy(node: Node): string | undefined {
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier" || node.callee.name !== "require")
    return undefined;
  const [specifier] = node.arguments;
  const isText = specifier?.type === "Literal" && typeof specifier.value === "string";
  return isText && isPackage(specifier.value as string) ? (specifier.value as string) : undefined;
}

/** What an expression statement does: each part, and what it is done to. */
function* doings(node: Node): Generator<readonly [part: Node, target: Node]> {
  switch (node.type) {
    case "CallExpression": {
      const { callee } = node;
      yield [node, callee];
      // `Object.assign(axios.defaults, { ... })`
      const [first] = node.arguments;
      const isOfLanguage =
        callee.type === "MemberExpression" &&
        callee.object.type === "Identifier" &&
        /^(?:Object|Reflect)$/.test(callee.object.name);
      if (isOfLanguage && first) yield [node, first as Node];
      break;
    }
    case "AssignmentExpression":
      if (node.left.type === "MemberExpression") yield [node, node.left];
      break;
    case "UpdateExpression":
      if (node.argument.type === "MemberExpression") yield [node, node.argument];
      break;
    case "UnaryExpression":
    case "AwaitExpression":
      if (node.type === "UnaryExpression" && node.operator === "delete") yield [node, node.argument];
      else yield* doings(node.argument);
      break;
    case "ChainExpression":
      yield* doings(node.expression);
      break;
    case "LogicalExpression":
      yield* doings(node.right);
      break;
    case "ConditionalExpression":
      yield* doings(node.consequent);
      yield* doings(node.alternate);
      break;
    case "SequenceExpression":
      for (const each of node.expressions) yield* doings(each);
  }
}

/** The name, or the specifier of the `require()`, at which members and calls begin. */
function rootOf(node: Node): string | { readonly name: string } | undefined {
  switch (node.type) {
    case "Identifier":
      return { name: node.name };
    case "MemberExpression":
      return rootOf(node.object);
    case "CallExpression":
      return requiredBy(node) ?? rootOf(node.callee);
    case "ChainExpression":
      return rootOf(node.expression);
    case "AwaitExpression":
      return rootOf(node.argument);
    case "SequenceExpression": {
      const last = node.expressions.at(-1);
      return last && rootOf(last);
    }
    default:
      return undefined;
  }
}

/** Without white space, and without what is in functions. */
function textOf(node: Node, source: string): string {
  let text = "";
  let at = node.start;
  const leaveOut = (child: Node): void => {
    if (!isFunction(child) || !child.body) {
      forEachChild(child, leaveOut);
      return;
    }
    text += source.slice(at, child.body.start);
    at = child.body.end;
  };
  leaveOut(node);
  return (text + source.slice(at, node.end)).replace(/\s+/g, "");
}
