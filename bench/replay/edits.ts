/**
 * Random edits of a source file, as somebody who works on it makes them: each is found by the syntax tree, is of one kind,
 * and may well break the file. Pure.
 */
import path from "node:path";
import {
  type BlockStatement,
  forEachChild,
  type Node,
  type Program,
  parse,
  parseTypeScript,
} from "../../src/common/compile/syntax-tree.js";
import type { Random } from "../random.js";

export interface Edit {
  readonly kind: string;
  readonly line: number;
  /** What the file is to have; undefined: it is deleted. */
  readonly text: string | undefined;
}

interface Source {
  readonly text: string;
  readonly program: Program;
  readonly isModule: boolean;
  readonly isTyped: boolean;
  /** Another module, as a specifier. */
  readonly other: string | undefined;
  /** In names that an edit makes, so that no two are the same. */
  readonly number: number;
  readonly places: Places;
}

/** What of the text gives way to what. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

type Kind = (source: Source, random: Random) => Splice | undefined;

const insert = (at: number | undefined, by: string): Splice | undefined =>
  at === undefined ? undefined : { start: at, end: at, by };
const remove = (node: Node | undefined): Splice | undefined => node && { start: node.start, end: node.end, by: "" };
const atEnd = ({ text }: Source, by: string): Splice => ({ start: text.length, end: text.length, by: `\n${by}\n` });
const any = <T>(items: readonly T[], random: Random): T | undefined =>
  items.length > 0 ? random.pick(items) : undefined;

/** Each name is told in the table. The first ones leave what runs as it is. */
const KINDS: Readonly<Record<string, Kind>> = {
  comment: ({ places, number }, random) => insert(any(places.statements, random)?.start, `// Edited ${number}.\n`),
  "blank line": ({ places }, random) => insert(any(places.statements, random)?.start, "\n\n"),
  type: (source) => (source.isTyped ? atEnd(source, `type Edited${source.number} = string;`) : undefined),
  "new function": (source) => atEnd(source, `function edited${source.number}() { return ${source.number}; }`),
  "new export": (source) =>
    atEnd(source, `${source.isModule ? "export const " : "module.exports."}edited${source.number} = ${source.number};`),
  "string in a function": ({ text, places, number }, random) => longer(text, any(places.inner.strings, random), number),
  "string at the top": ({ text, places, number }, random) => longer(text, any(places.outer.strings, random), number),
  "number in a function": ({ places, number }, random) => bigger(any(places.inner.numbers, random), number),
  "number at the top": ({ places, number }, random) => bigger(any(places.outer.numbers, random), number),
  "new statement in a function": ({ places, number }, random) =>
    insert(any(places.bodies, random), ` const edited${number} = ${number}; `),
  "condition turned round": ({ text, places }, random) => {
    const test = any(places.conditions, random);
    return test && { start: test.start, end: test.end, by: `!(${text.slice(test.start, test.end)})` };
  },
  "statement deleted": ({ places }, random) => remove(any(places.statements, random)),
  "statement repeated": ({ text, places }, random) => {
    const statement = any(places.statements, random);
    return statement && insert(statement.end, `\n${text.slice(statement.start, statement.end)}\n`);
  },
  "function renamed": ({ text, places, number }, random) => {
    const named = any(places.functions, random);
    return named && { start: 0, end: text.length, by: renamed(text, places.names, named, `edited${number}`) };
  },
  "name of a declaration": ({ places, number }, random) =>
    insert(any(places.functions, random)?.end, `Edited${number}`),
  "export removed": ({ places }, random) => any(places.exports, random),
  "import removed": ({ places }, random) => remove(any(places.imports, random)),
  "import added": ({ isModule, other }) =>
    other === undefined
      ? undefined
      : insert(0, isModule ? `import ${quoted(other)};\n` : `require(${quoted(other)});\n`),
  "throw in a function": ({ places, number }, random) =>
    insert(any(places.bodies, random), ` throw new Error("edited ${number}"); `),
  "throw at load": (source) => atEnd(source, `throw new Error("edited ${source.number}");`),
  "syntax error": ({ places }, random) => insert(any(places.statements, random)?.start, "} ) "),
  "cut off": ({ text }, random) => ({ start: random.below(text.length + 1), end: text.length, by: "" }),
  emptied: ({ text }) => ({ start: 0, end: text.length, by: "" }),
};

const FILE_DELETED = "file deleted";
const names = [...Object.keys(KINDS), FILE_DELETED];
/** Kinds that break the app are as frequent as in a day's work, not as in the list. */
const RARE = new Set(["throw at load", "syntax error", "cut off", "emptied", FILE_DELETED, "import removed"]);

/** One edit of the module, of a kind that has a place in it; undefined when the text does not parse. `other`: another module. */
export function editOf(file: string, text: string, other: string, number: number, random: Random): Edit | undefined {
  const parsed = programOf(file, text);
  if (parsed === undefined) return undefined;
  const source = { ...parsed, text, number, other: specifier(file, other), places: new Places(parsed.program, text) };
  for (let tries = 0; tries < 50; tries++) {
    const kind = random.pick(names);
    if (RARE.has(kind) && random.chance(0.7)) continue;
    if (kind === FILE_DELETED) return { kind, line: 1, text: undefined };
    const splice = KINDS[kind]?.(source, random);
    if (splice === undefined) continue;
    const edited = text.slice(0, splice.start) + splice.by + text.slice(splice.end);
    if (edited !== text) return { kind, line: lineAt(text, splice.start), text: edited };
  }
  return undefined;
}

/** One edit of a file that is no code: a word or a number in it. */
export function dataEditOf(text: string, number: number, random: Random): Edit | undefined {
  const words = [...text.matchAll(/[a-z]{4,}|\d+/gi)];
  const word = any(words, random);
  if (word === undefined) return undefined;
  const by = /\d/.test(word[0]) ? `${Number(word[0]) + 1}` : `${word[0]}${number}`;
  const edited = text.slice(0, word.index) + by + text.slice(word.index + word[0].length);
  return { kind: "text of a file that is no code", line: lineAt(text, word.index), text: edited };
}

function programOf(file: string, text: string): Pick<Source, "program" | "isModule" | "isTyped"> | undefined {
  const typed = /\.[cm]?tsx?$/.exec(file)?.[0];
  if (typed !== undefined) {
    const program = parseTypeScript(text, typed === ".tsx" ? "tsx" : "ts");
    return program && { program, isModule: typed !== ".cts", isTyped: true };
  }
  for (const goal of ["module", "commonjs"] as const) {
    const { problem, hasModuleSyntax, program } = parse(text, goal);
    if (problem === undefined && (goal === "commonjs" || hasModuleSyntax))
      return { program, isModule: hasModuleSyntax, isTyped: false };
  }
  return undefined;
}

interface Values {
  readonly strings: Node[];
  readonly numbers: Node[];
}

/** Where a text can be edited. */
class Places {
  readonly statements: Node[] = [];
  /** Offsets behind the brace that a function's body begins with, and its directives. */
  readonly bodies: number[] = [];
  readonly conditions: Node[] = [];
  /** Names of function declarations. */
  readonly functions: Node[] = [];
  /** All names that are no properties and no keys. */
  readonly names: Node[] = [];
  readonly exports: Splice[] = [];
  readonly imports: Node[] = [];
  /** What runs when the module is evaluated, and what runs later. */
  readonly outer: Values = { strings: [], numbers: [] };
  readonly inner: Values = { strings: [], numbers: [] };
  readonly #text: string;

  constructor(program: Program, text: string) {
    this.#text = text;
    for (const statement of program.body) this.#top(statement);
    this.#list(program.body, false);
  }

  #top(statement: Node): void {
    if (statement.type === "ImportDeclaration") this.imports.push(statement);
    if (statement.type === "VariableDeclaration" && /^[^=]*=\s*require\(/.test(this.#of(statement)))
      this.imports.push(statement);
    if (statement.type === "ExportNamedDeclaration" && statement.declaration)
      this.exports.push({ start: statement.start, end: statement.declaration.start, by: "" });
    if (statement.type !== "ExpressionStatement" || statement.expression.type !== "AssignmentExpression") return;
    const { left, right } = statement.expression;
    if (/^(?:module\.)?exports\.\w+$/.test(this.#of(left))) this.exports.push({ ...ends(statement), by: "" });
    if (this.#of(left) !== "module.exports" || right.type !== "ObjectExpression") return;
    for (const property of right.properties) {
      const comma = /^\s*,/.exec(this.#text.slice(property.end))?.[0].length ?? 0;
      this.exports.push({ start: property.start, end: property.end + comma, by: "" });
    }
  }

  #list(statements: readonly Node[], isInner: boolean): void {
    for (const statement of statements) {
      const isImport = statement.type === "ImportDeclaration";
      const isDirective = statement.type === "ExpressionStatement" && statement.directive;
      if (isImport || isDirective) continue;
      this.statements.push(statement);
      this.#visit(statement, isInner);
    }
  }

  #visit(node: Node, isInner: boolean): void {
    // Types are nothing that runs.
    if (node.type.startsWith("TS") && !/^TS(?:As|NonNull|Satisfies|Enum|Parameter)/.test(node.type)) return;
    const values = isInner ? this.inner : this.outer;
    switch (node.type) {
      case "Literal":
        if (typeof node.value === "string") values.strings.push(node);
        if (typeof node.value === "number") values.numbers.push(node);
        return;
      case "TemplateElement":
        values.strings.push(node);
        return;
      case "Identifier":
        this.names.push(node);
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        if (node.type === "FunctionDeclaration" && node.id) this.functions.push(node.id);
        forEachChild(node, (child) => this.#visit(child, true));
        if (node.body?.type === "BlockStatement") this.bodies.push(this.#begin(node.body));
        return;
      case "BlockStatement":
        this.#list(node.body, isInner);
        return;
      case "IfStatement":
      case "ConditionalExpression":
        this.conditions.push(node.test);
        break;
      case "CallExpression":
        // A specifier; to change it is what `import removed` does.
        if (node.callee.type === "Identifier" && node.callee.name === "require") return;
        break;
      case "ImportExpression":
      case "ExportAllDeclaration":
        return;
      case "MemberExpression":
        this.#visit(node.object, isInner);
        if (node.computed) this.#visit(node.property, isInner);
        return;
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
        if (node.computed) this.#visit(node.key, isInner);
        if (node.value) this.#visit(node.value, isInner);
        return;
      case "ExportNamedDeclaration":
        if (node.declaration) this.#visit(node.declaration, isInner);
        return;
    }
    forEachChild(node, (child) => this.#visit(child, isInner));
  }

  /** Behind directives: "use strict" must stay the first. */
  #begin({ body, start }: BlockStatement): number {
    const directives = body.filter((one) => one.type === "ExpressionStatement" && one.directive);
    return directives.at(-1)?.end ?? start + 1;
  }

  #of({ start, end }: Node): string {
    return this.#text.slice(start, end);
  }
}

function ends({ start, end }: Node): { start: number; end: number } {
  return { start, end };
}

/** The string or the piece of a template with a word more. */
function longer(text: string, node: Node | undefined, number: number): Splice | undefined {
  if (node === undefined) return undefined;
  const at = node.type === "Literal" ? node.end - 1 : node.start + text.slice(node.start, node.end).trimEnd().length;
  return insert(at, ` edited ${number}`);
}

function bigger(node: Node | undefined, number: number): Splice | undefined {
  return node?.type === "Literal" ? { ...ends(node), by: `${Number(node.value) + (number % 3) + 1}` } : undefined;
}

/** The text with all names that are the same as that of `named`. */
function renamed(text: string, names: readonly Node[], named: Node, by: string): string {
  const name = text.slice(named.start, named.end);
  const same = names.filter(({ start, end }) => text.slice(start, end) === name);
  const places = [...new Set(same.map(({ start }) => start))].sort((a, b) => b - a);
  return places.reduce((edited, start) => edited.slice(0, start) + by + edited.slice(start + name.length), text);
}

function specifier(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const relative = path.posix.relative(path.posix.dirname(from), to);
  return relative.startsWith(".") ? relative : `./${relative}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
