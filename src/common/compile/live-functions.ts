/**
 * Which bodies of functions differ between two compiled texts that have cells (cells.ts), and whether nothing else does.
 *
 * What runs is a tree of functions. Each was compiled in some text of the file: those of a body that was swapped come from
 * another one than what encloses them. Pure.
 */
import { type AnyFunction, EVALUATOR, isFunction, parameterNames, TABLE } from "./cells.js";
import type { CompiledModule } from "./compiled-module.js";
import { type Node, parse } from "./syntax-tree.js";

/** A function with a cell; the root, whose `id` is -1, stands for the module. */
export interface LiveFunction {
  /** Number of the text that its code comes from: 0 is what was evaluated, 1 the first that bodies were taken from. */
  readonly text: number;
  /** Of its cell, in that text. */
  readonly id: number;
  /** As it is shown: `list` or `line 12`. */
  readonly name: string;
  /** Its syntax, with the bodies of functions within left out. */
  readonly shape: string;
  /** Functions with cells that it encloses directly, in the order of the text. */
  readonly functions: readonly LiveFunction[];
  /** The syntax of the functions and classes within its body: closures of the old body go on with theirs. */
  readonly enclosed: () => readonly string[];
}

/** A body that takes the place of another. */
export interface NewBody {
  readonly text: number;
  readonly id: number;
  readonly name: string;
  /** To be evaluated where the function is, with the table of the text that it comes from. */
  readonly source: string;
}

export type Comparison =
  | { readonly type: "other"; readonly because: string }
  | { readonly type: "bodies"; readonly bodies: readonly NewBody[]; readonly live: LiveFunction };

interface NewFunction extends LiveFunction {
  readonly functions: readonly NewFunction[];
  /** Why its body cannot be evaluated where the function is; undefined: it can. */
  readonly obstacle: string | undefined;
  readonly source: string;
}

const OTHER = "something else than bodies of functions differs";

/** What a module runs that was evaluated from this text. */
export function liveFunctions(compiled: CompiledModule): LiveFunction | undefined {
  return readFunctions(compiled, 0);
}

/** `text`: the number that `next` gets. `place`: what its functions are shown under in stacks. */
export function compareFunctions(
  live: LiveFunction,
  before: CompiledModule,
  next: CompiledModule,
  { text, place }: { readonly text: number; readonly place: string },
): Comparison {
  if (frame(before) !== frame(next)) return { type: "other", because: OTHER };
  const read = readFunctions(next, text, place);
  if (!read) return { type: "other", because: "its syntax cannot be looked at" };
  const bodies: NewBody[] = [];
  const problems: string[] = [];
  const merge = (old: LiveFunction, made: NewFunction): LiveFunction => {
    if (old.shape === made.shape) {
      const functions = made.functions.map((inner, k) => merge(old.functions[k] as LiveFunction, inner));
      return { ...made, text: old.text, id: old.id, functions };
    }
    if (made.id < 0) problems.push(OTHER);
    else if (made.obstacle !== undefined) problems.push(`${made.name} ${made.obstacle}`);
    else {
      const kept = new Set(made.enclosed());
      if (old.enclosed().some((inner) => !kept.has(inner)))
        problems.push(`${made.name} differs, and a function within, which somebody may have`);
    }
    bodies.push({ text: old.text, id: old.id, name: made.name, source: made.source });
    return { ...made, text: old.text, id: old.id };
  };
  const merged = unlessTooDeep(() => merge(live, read));
  const because = merged ? problems[0] : "it is nested too deep";
  return merged && because === undefined
    ? { type: "bodies", bodies, live: merged }
    : { type: "other", because: because ?? OTHER };
}

/** Undefined: the stack is too small for the tree. */
function unlessTooDeep<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** All of a compiled module but for its text. */
function frame(compiled: CompiledModule): string {
  const { hash: _h, source: _s, body: _b, effects: _e, imports, ...rest } = compiled;
  // Which names of an import are used is checked when modules are linked.
  return JSON.stringify([rest, imports.map(({ specifier, attributes }) => [specifier, attributes])]);
}

function readFunctions(compiled: CompiledModule, text: number, place = ""): NewFunction | undefined {
  const { body, format } = compiled;
  if (format === "json" || !body.includes(TABLE)) return undefined;
  const { program, problem } = parse(body, format === "esm" ? "module" : "commonjs");
  if (problem) return undefined;
  return unlessTooDeep(() => new Reader(body, text, place).read(program));
}

type Syntax = Readonly<Record<string, unknown>>;

class Reader {
  readonly #body: string;
  readonly #text: number;
  readonly #place: string;

  constructor(body: string, text: number, place: string) {
    this.#body = body;
    this.#text = text;
    this.#place = place;
  }

  read(program: Node): NewFunction {
    const functions: NewFunction[] = [];
    const shape = JSON.stringify(this.#shape(program, functions, []));
    return {
      ...{ text: this.#text, id: -1, name: "the module", shape, functions },
      ...{ enclosed: () => [], obstacle: undefined, source: "" },
    };
  }

  /**
   * The node without places and cells. Functions with cells go to `into`, and only their heads stay; absent: they stay whole.
   * `hidden`: names that are known here and not where the next evaluator stands.
   */
  #shape(value: unknown, into: NewFunction[] | undefined, hidden: readonly string[], name = ""): unknown {
    if (typeof value === "bigint") return String(value);
    if (typeof value !== "object" || value === null || value instanceof RegExp) return value;
    if (Array.isArray(value))
      return value.filter((one) => !isInserted(one)).map((one) => this.#shape(one, into, hidden));
    const node = value as Node;
    if (isFunction(node)) return this.#functionShape(node, into, hidden, name);
    let known = hidden;
    if (node.type === "ClassExpression" && node.id) known = [...hidden, node.id.name];
    // The number of the place that is awaited.
    if (node.type === "CallExpression" && isMember(node.callee, "__ur", "awaits")) return "awaits";
    const shown = nameOf(node) ?? "";
    return mapFields(node, (field) => this.#shape(field, into, known, shown));
  }

  #functionShape(node: AnyFunction, into: NewFunction[] | undefined, hidden: readonly string[], name: string): Syntax {
    const own = node.type === "FunctionExpression" && node.id ? [...hidden, node.id.name] : hidden;
    const id = cellOf(node);
    if (id === undefined || !into) {
      const { expression: _, ...head } = node as unknown as Record<string, unknown>;
      const body = contentOf(node);
      return {
        ...mapFields(head, (field) => this.#shape(field, into, own)),
        body: this.#shape(body, into, own),
      } as Syntax;
    }
    const { body: _b, expression: _e, ...head } = node as unknown as Record<string, unknown>;
    into.push(this.#function(node, id, own, name));
    return mapFields(head, (field) => this.#shape(field, undefined, own));
  }

  #function(node: AnyFunction, id: number, hidden: readonly string[], name: string): NewFunction {
    const functions: NewFunction[] = [];
    const content = contentOf(node);
    const shape = JSON.stringify(this.#shape(content, functions, []));
    const shown = node.id?.name ?? name;
    return {
      ...{ text: this.#text, id, shape, functions },
      name: shown === "" ? `line ${this.#body.slice(0, node.start).split("\n").length}` : shown,
      enclosed: () => this.#enclosed(content),
      obstacle: obstacleIn(content, node.type === "ArrowFunctionExpression", hidden),
      source: this.#place === "" ? "" : this.#source(node, shown),
    };
  }

  /** The outermost functions and classes of a body. */
  #enclosed(content: unknown): string[] {
    const found: string[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      if (Array.isArray(value)) value.forEach(visit);
      else if (isFunction(value as Node) || /^Class/.test((value as Node).type ?? ""))
        found.push(JSON.stringify(this.#shape(value, undefined, [])));
      else Object.values(value).forEach(visit);
    };
    visit(content);
    return found;
  }

  /** On the lines and columns of the text; on its first line, the columns are others. */
  #source(node: AnyFunction, name: string): string {
    const body = node.body as Node;
    const isArrow = node.type === "ArrowFunctionExpression";
    const from = isArrow && body.type !== "BlockStatement" ? afterArrow(this.#body, body.start) : body.start;
    const before = this.#body.slice(0, from);
    const line = before.split("\n").length;
    const column = from - (before.lastIndexOf("\n") + 1);
    const parameters = `(${(parameterNames(node) ?? []).join(", ")})`;
    const async = node.async ? "async " : "";
    const head = isArrow ? `${async}${parameters} =>` : `${async}function${node.generator ? "*" : ""} ${parameters}`;
    const open = `((${TABLE}) => ({ ${JSON.stringify(name)}: ${head}`;
    const lines = line < 2 ? `${open} ` : `${"\n".repeat(line - 2)}${open}\n${" ".repeat(column)}`;
    const text = this.#body.slice(from, isArrow && body.type !== "BlockStatement" ? node.end : body.end);
    return `${lines}${text}\n})[${JSON.stringify(name)}])\n//# sourceURL=${this.#place}`;
  }
}

function mapFields(node: object, map: (field: unknown) => unknown): Syntax {
  const fields: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(node)) if (key !== "start" && key !== "end") fields[key] = map(field);
  return fields;
}

/** The body of an arrow function without a block begins behind its arrow: a parenthesis is no node. */
function afterArrow(text: string, at: number): number {
  return text.lastIndexOf("=>", at) + 2;
}

/** The id of the cell that a function begins with. */
function cellOf({ body }: AnyFunction): number | undefined {
  if (!body) return undefined;
  if (body.type === "ConditionalExpression") return idOf(body.test);
  if (body.type !== "BlockStatement") return undefined;
  const cell = (body.body as readonly Node[]).find(
    (statement) => !isDirective(statement) && statement.type !== "EmptyStatement",
  );
  return cell?.type === "IfStatement" ? idOf(cell.test) : undefined;
}

/** `__urS.$ && __urS.$.has(ID)`. */
function idOf(test: Node): number | undefined {
  if (test.type !== "LogicalExpression" || !isMember(test.left, TABLE, "$")) return undefined;
  const [argument] = test.right.type === "CallExpression" ? test.right.arguments : [];
  return argument?.type === "Literal" ? Number(argument.value) : undefined;
}

/** What the user wrote as the body. */
function contentOf({ body }: AnyFunction): unknown {
  if (body?.type === "ConditionalExpression" && idOf(body.test) !== undefined)
    return [{ type: "ReturnStatement", argument: body.alternate }];
  return body?.type === "BlockStatement" ? body.body : body;
}

/** Of what cells.ts has put into a list of statements. */
function isInserted(node: unknown): boolean {
  const statement = node as Node;
  if (statement?.type === "IfStatement") return idOf(statement.test) !== undefined;
  // What separates a directive from what is inserted.
  if (statement?.type === "EmptyStatement") return true;
  if (statement?.type !== "VariableDeclaration") return false;
  const [first] = statement.declarations;
  return first?.id.type === "Identifier" && first.id.name.startsWith(EVALUATOR);
}

function isDirective(node: Node): boolean {
  return node.type === "ExpressionStatement" && "directive" in node && typeof node.directive === "string";
}

function isMember(node: Node, object: string, property: string): boolean {
  return (
    node.type === "MemberExpression" &&
    node.object.type === "Identifier" &&
    node.object.name === object &&
    node.property.type === "Identifier" &&
    node.property.name === property
  );
}

/** What a function that stands here is called. */
function nameOf(node: Node): string | undefined {
  switch (node.type) {
    case "VariableDeclarator":
      return node.id.type === "Identifier" ? node.id.name : undefined;
    case "Property":
    case "MethodDefinition":
      return !node.computed && node.key.type === "Identifier" ? node.key.name : undefined;
    case "AssignmentExpression":
      return node.left.type === "Identifier" ? node.left.name : undefined;
    default:
      return undefined;
  }
}

/** What a body says that means something else, or nothing, where the evaluator stands. */
function obstacleIn(content: unknown, isArrow: boolean, hidden: readonly string[]): string | undefined {
  let found: string | undefined;
  const visit = (value: unknown, isOwn: boolean): void => {
    if (typeof value !== "object" || value === null || found !== undefined) return;
    if (Array.isArray(value)) {
      for (const one of value) visit(one, isOwn);
      return;
    }
    const node = value as Node;
    if (node.type === "Identifier" && hidden.includes(node.name)) found = `mentions ${node.name}`;
    else if (!isArrow) {
      if (node.type === "PrivateIdentifier") found = "has a private name";
      else if (node.type === "Super" && isOwn) found = "has super";
      else if (node.type === "MetaProperty" && isOwn && node.meta.name === "new") found = "has new.target";
      else if (node.type === "Identifier" && node.name === "arguments" && isOwn) found = "has arguments";
    }
    const isOther = isFunction(node) && node.type !== "ArrowFunctionExpression";
    for (const field of Object.values(node)) visit(field, isOwn && !isOther);
  };
  visit(content, true);
  return found;
}
