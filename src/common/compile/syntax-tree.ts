/** JavaScript text to syntax tree. The only file that knows the parser. */
import { type Node, type Program, parseSync, visitorKeys } from "oxc-parser";
import { tooDeepAt } from "./nesting-depth.js";

export type {
  ArrowFunctionExpression,
  BlockStatement,
  Class,
  ClassElement,
  ExportDefaultDeclaration,
  Function as FunctionNode,
  ImportAttribute,
  ImportExpression,
  MetaProperty,
  MethodDefinition,
  ModuleExportName,
  Node,
  ParamPattern,
  Program,
  StringLiteral,
  TSParameterProperty,
} from "oxc-parser";

/** What a text is parsed as. `commonjs` is sloppy mode with `return` and `new.target` allowed at the top. */
export type ParseGoal = "module" | "commonjs";

/** Text that does not parse, or syntax that cannot be compiled. `offset` is in UTF-16 units of the parsed text. */
export class SyntaxProblem extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.name = "SyntaxProblem";
    this.offset = offset;
  }
}

export interface ParsedText {
  readonly goal: ParseGoal;
  /** Built on first use: reading the tree costs more than parsing. */
  readonly program: Program;
  /** import, export, import.meta or top-level await: what only a module may contain. */
  readonly hasModuleSyntax: boolean;
  readonly problem: SyntaxProblem | undefined;
}

/** Parses `text` (JavaScript without types or JSX), early errors included. Parentheses are not nodes of the tree. */
export function parse(text: string, goal: ParseGoal): ParsedText {
  const result = parseSync("text.js", text, {
    lang: "js",
    sourceType: goal,
    preserveParens: false,
    showSemanticErrors: true,
  });
  const { errors, module } = result;
  return {
    goal,
    get program() {
      return result.program;
    },
    hasModuleSyntax: module.hasModuleSyntax,
    problem: errors.length > 0 ? asProblem(errors) : undefined,
  };
}

/** The tree of a text with types; undefined for one that does not parse. */
export function parseTypeScript(text: string, language: "ts" | "tsx"): Program | undefined {
  const { errors, program } = parseSync(`text.${language}`, text, {
    lang: language,
    sourceType: "module",
    astType: "ts",
    preserveParens: false,
  });
  return errors.length > 0 ? undefined : program;
}

/** Start offsets of the `import()` expressions in `text`, JavaScript of a package; none for what cannot be parsed. */
export function locateDynamicImports(text: string): number[] {
  if (tooDeepAt(text) !== undefined) return [];
  for (const sourceType of ["module", "commonjs"] as const) {
    const { module, errors } = parseSync("text.js", text, { lang: "js", sourceType });
    if (errors.length === 0) return module.dynamicImports.map(({ start }) => start);
  }
  return [];
}

/** Start offsets of the import and re-export specifiers in `text` (any language that the file name tells). */
export function locateSpecifiers(file: string, text: string): { specifier: string; offset: number }[] {
  const { module } = parseSync(file, text, { sourceType: "module" });
  const requests = [
    ...module.staticImports.map((found) => found.moduleRequest),
    ...module.staticExports.flatMap((found) => found.entries.map((entry) => entry.moduleRequest)),
  ];
  return requests
    .filter((request) => request !== null)
    .map((request) => ({ specifier: request.value, offset: request.start }));
}

/** Whether `text` is free of syntax errors; tells a parse error from syntax that only the transformer lacks. */
export function parses(file: string, text: string, goal: ParseGoal): boolean {
  return parseSync(file, text, { sourceType: goal }).errors.length === 0;
}

interface Diagnostic {
  readonly message: string;
  readonly labels: readonly { readonly start: number }[];
}

const twice = /already been declared|[Dd]uplicate|multiple default/;

/** The first of the parser's (or transformer's) errors. */
export function asProblem(errors: readonly Diagnostic[]): SyntaxProblem {
  const [error] = errors;
  if (!error) return new SyntaxProblem("Unexpected end of input", 0);
  // Where two places are named, the first is the older one; the mistake was made at the second.
  const label = twice.test(error.message) ? error.labels.at(-1) : error.labels[0];
  return new SyntaxProblem(error.message, label?.start ?? 0);
}

/** Calls `visit` for each direct child, in source order; for the operands of a whole chain of operators. */
export function forEachChild(node: Node, visit: (child: Node) => void): void {
  if (node.type === "BinaryExpression" || node.type === "LogicalExpression") {
    forEachOperand(node, visit);
    return;
  }
  const keys = visitorKeys[node.type];
  if (!keys) return;
  const fields = node as unknown as Record<string, Node | (Node | null)[] | null | undefined>;
  for (const key of keys) {
    const child = fields[key];
    if (Array.isArray(child)) {
      for (const element of child) if (element) visit(element);
    } else if (child) visit(child);
  }
}

/** `a + b + c`, which is `(a + b) + c`: thousands of them, as generated texts have, are as many nodes within each other. */
function forEachOperand(expression: Node, visit: (child: Node) => void): void {
  const operands: Node[] = [];
  let node = expression;
  while (node.type === "BinaryExpression" || node.type === "LogicalExpression") {
    operands.push(node.right);
    node = node.left;
  }
  visit(node);
  for (let at = operands.length - 1; at >= 0; at--) visit(operands[at] as Node);
}

/** The name that an expression begins with, if it is a chain of members. */
export function leftmost(expression: Node): Node {
  let node = expression;
  while (node.type === "MemberExpression") node = node.object;
  return node;
}
