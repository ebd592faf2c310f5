/**
 * Variables at the top of a module that a function fills when it is asked first: `let pool; const get = () => (pool ??=
 * createPool(config))`. What is in one was made from other modules after all evaluations, so that no edge tells of it; as far
 * as the text tells, this does.
 */
import { addPatternNames } from "./bindings.js";
import { forEachChild, type Node, type Program } from "./syntax-tree.js";

export interface Memo {
  readonly name: string;
  /** Specifiers of the imports from which it is filled. Sorted. */
  readonly from: readonly string[];
}

/** Name to what declares it: a specifier of an import, or the function (or the variable's first value) that stands behind it. */
interface Names {
  readonly imports: ReadonlyMap<string, string>;
  readonly variables: ReadonlySet<string>;
  readonly parts: ReadonlyMap<string, Node>;
}

/** Sorted by name. */
export function memosOf(program: Program): Memo[] {
  const names = namesOf(program);
  if (names.variables.size === 0) return [];
  const fillings = new Map<string, { readonly value: Node; readonly within: Node }[]>();
  for (const statement of program.body) visitFunctions(statement as Node, (made) => addFillings(made, names, fillings));
  const memos: Memo[] = [];
  for (const [name, found] of fillings) {
    const from = new Set<string>();
    for (const { value, within } of found) addSources(value, within, names, from);
    if (from.size > 0) memos.push({ name, from: [...from].sort() });
  }
  return memos.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function namesOf({ body }: Program): Names {
  const imports = new Map<string, string>();
  const variables = new Set<string>();
  const parts = new Map<string, Node>();
  for (const statement of body as readonly Node[]) {
    if (statement.type === "ImportDeclaration") {
      for (const { local } of statement.specifiers) imports.set(local.name, statement.source.value);
      continue;
    }
    const isExport = statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration";
    const declared = (isExport ? statement.declaration : statement) as Node | null;
    if (declared?.type === "VariableDeclaration") {
      for (const { id, init } of declared.declarations) {
        if (declared.kind === "let" || declared.kind === "var") addPatternNames(id, (name) => variables.add(name));
        if (id.type === "Identifier" && init) parts.set(id.name, init);
      }
    } else if (declared?.type === "FunctionDeclaration" || declared?.type === "ClassDeclaration") {
      if (declared.id) parts.set(declared.id.name, declared);
    }
  }
  return { imports, variables, parts };
}

function isFunction({ type }: Node): boolean {
  return type === "FunctionDeclaration" || type === "FunctionExpression" || type === "ArrowFunctionExpression";
}

function visitFunctions(node: Node, visit: (made: Node) => void): void {
  if (isFunction(node)) visit(node);
  forEachChild(node, (child) => visitFunctions(child, visit));
}

/** Visits what a function runs itself, not what functions in it do. */
function visitBody(made: Node, visit: (node: Node) => void): void {
  forEachChild(made, (child) => {
    if (isFunction(child)) return;
    visit(child);
    visitBody(child, visit);
  });
}

/** Assignments to variables of which the same function asks whether they are there. */
function addFillings(made: Node, { variables }: Names, fillings: Map<string, { value: Node; within: Node }[]>): void {
  const assigned: { name: string; value: Node }[] = [];
  const asked = new Set<string>();
  const ask = (test: Node): void => {
    for (const name of askedBy(test)) asked.add(name);
  };
  visitBody(made, (node) => {
    if (node.type === "IfStatement" || node.type === "ConditionalExpression") ask(node.test);
    if (node.type === "LogicalExpression") ask(node.left);
    if (node.type !== "AssignmentExpression" || node.left.type !== "Identifier") return;
    const { name } = node.left;
    if (!variables.has(name)) return;
    if (node.operator === "??=" || node.operator === "||=") asked.add(name);
    else if (node.operator !== "=") return;
    assigned.push({ name, value: node.right });
  });
  for (const { name, value } of assigned) {
    if (asked.has(name)) fillings.set(name, [...(fillings.get(name) ?? []), { value, within: made }]);
  }
}

/** `x`, `!x`, `x === undefined`, `typeof x === "undefined"`, and several of these. */
function askedBy(test: Node): string[] {
  switch (test.type) {
    case "Identifier":
      return [test.name];
    case "UnaryExpression":
      return test.operator === "!" || test.operator === "typeof" ? askedBy(test.argument) : [];
    case "LogicalExpression":
      return [...askedBy(test.left), ...askedBy(test.right)];
    case "BinaryExpression":
      return /^[!=]==?$/.test(test.operator) ? [...askedBy(test.left as Node), ...askedBy(test.right)] : [];
    default:
      return [];
  }
}

/** What an expression takes from imports: by itself, by variables of its function, by functions at the top. */
function addSources(value: Node, within: Node, { imports, parts }: Names, from: Set<string>): void {
  const locals = new Map<string, Node>();
  visitBody(within, (node) => {
    if (node.type === "VariableDeclarator" && node.init) {
      const { init } = node;
      addPatternNames(node.id, (name) => locals.set(name, init));
    }
  });
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    switch (node.type) {
      case "Identifier": {
        const specifier = imports.get(node.name);
        if (specifier !== undefined) from.add(specifier);
        const behind = locals.get(node.name) ?? parts.get(node.name);
        if (behind) visit(behind);
        return;
      }
      case "ImportExpression":
        addLiteral(node.source, from);
        break;
      case "CallExpression":
        if (node.callee.type === "Identifier" && node.callee.name === "require") addLiteral(node.arguments[0], from);
        break;
      case "MemberExpression":
        visit(node.object);
        if (node.computed) visit(node.property);
        return;
    }
    forEachChild(node, visit);
  };
  visit(value);
}

function addLiteral(node: Node | undefined, add: Set<string>): void {
  if (node?.type === "Literal" && typeof node.value === "string") add.add(node.value);
}
