/**
 * Cells: with `--scope function`, what a function begins with, so that another body can take its place while the function, and
 * all that it has closed over, stays what it is.
 *
 *     function f(a, b) { if (__urS.$ && __urS.$.has(3)) return __urS.run(3, __urE0, this, [a, b]); BODY }
 *     (a) => (__urS.$ && __urS.$.has(4) ? __urS.run(4, __urE0, void 0, [a]) : (BODY))
 *
 * `__urE0`, a function that calls `eval`, stands at the top of each scope with functions (the digit is the depth), and lets a new body
 * see what the old one sees: V8 then keeps all variables of the scope, mentioned by functions or not, so that it does not matter
 * which of them a new body needs. `__urS` is the runtime's (workers/runtime/swaps.ts). Cells stand on the lines of what they are put
 * before.
 *
 * No cell: where no scope can have such a function (parameters, class fields, what an arrow function without a block encloses),
 * for constructors, and where names of parameters are not plain to see. What has no cell belongs to what encloses it.
 */
import { addLexicalNames, addPatternNames } from "./bindings.js";
import {
  type ArrowFunctionExpression,
  type FunctionNode,
  forEachChild,
  type Node,
  type Program,
} from "./syntax-tree.js";
import type { TextEdits } from "./text-edits.js";

export const TABLE = "__urS";
export const EVALUATOR = "__urE";
/** In the name under which a body that was swapped is shown in stacks: between its file and the number of its text. */
export const TEXT_MARK = "?unreloader-text=";
const ANY_FUNCTION = /Function(?:Declaration|Expression)$|^Class/;

export type AnyFunction = FunctionNode | ArrowFunctionExpression;

/** Where functions are made; `at`: where its evaluator can stand. */
interface Scope {
  readonly name: string;
  readonly depth: number;
  readonly at: number;
  isUsed: boolean;
}

export function isFunction(node: Node): node is AnyFunction {
  return (
    node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression"
  );
}

/** Names that the parameters bind, in order; undefined: a new body could not be given their values. */
export function parameterNames(node: AnyFunction): string[] | undefined {
  const names: string[] = [];
  for (const parameter of node.params) {
    // What a default value encloses would not see what a body assigns to the parameters.
    if (parameter.type !== "Identifier" && hasFunction(parameter)) return undefined;
    addPatternNames(parameter as Node, (name) => names.push(name));
  }
  return new Set(names).size === names.length ? names : undefined;
}

function hasFunction(node: Node): boolean {
  if (ANY_FUNCTION.test(node.type)) return true;
  let found = false;
  forEachChild(node, (child) => {
    found ||= hasFunction(child);
  });
  return found;
}

const CELL =
  /;? if \(__urS\.\$ && __urS\.\$\.has\(\d+\)\) return (?:yield\* )?__urS\.run\(\d+, __urE\d+, (?:this|void 0), \[[^\]]*\]\);|;? const __urE\d+ = \(t\) => eval\(t\);/g;
const BLOCKLESS_CELL =
  /(?<==>) __urS\.\$ && __urS\.\$\.has\(\d+\) \? __urS\.run\(\d+, __urE\d+, void 0, \[[^\]]*\]\) : (?=\()/g;

/** The text of a function as it was before it got cells, but for a pair of parentheses around what an arrow function gives. */
export function withoutCells(text: string): string {
  return text.includes(TABLE) || text.includes(EVALUATOR) ? text.replace(CELL, "").replace(BLOCKLESS_CELL, " ") : text;
}

/** To be called before other edits are made: at the same place, these come first. */
export function insertCells(program: Program, text: string, edits: TextEdits): void {
  // A name of the text's own would be another function.
  if (/\beval\b|__ur[SE]/.test(text)) return;
  new CellInsertion(text, edits).run(program);
}

class CellInsertion {
  readonly #text: string;
  readonly #edits: TextEdits;
  #count = 0;

  constructor(text: string, edits: TextEdits) {
    this.#text = text;
    this.#edits = edits;
  }

  run(program: Program): void {
    this.#body(program.body as readonly Node[], 0, 0);
  }

  /** Statements with a scope of their own, which begins at `start`. */
  #body(statements: readonly Node[], start: number, depth: number): void {
    let at = start;
    for (const statement of statements) {
      if (statement.type !== "ExpressionStatement" || !("directive" in statement) || !statement.directive) break;
      at = statement.end;
    }
    const scope: Scope = { name: `${EVALUATOR}${depth}`, depth, at, isUsed: false };
    for (const statement of statements) this.#visit(statement, scope, depth);
    if (!scope.isUsed) return;
    this.#edits.insert(at, `${at > start ? ";" : ""} const ${scope.name} = (t) => eval(t);`);
  }

  #children(node: Node, scope: Scope | undefined, depth: number): void {
    forEachChild(node, (child) => this.#visit(child, scope, depth));
  }

  #visit(node: Node, scope: Scope | undefined, depth: number): void {
    if (isFunction(node)) {
      this.#function(node, scope, depth);
      return;
    }
    switch (node.type) {
      case "BlockStatement":
        if (scope && !declares(node.body)) this.#children(node, scope, depth);
        else this.#body(node.body, node.start + 1, depth + 1);
        return;
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement": {
        const head = node.type === "ForStatement" ? node.init : node.left;
        const isScope = head?.type === "VariableDeclaration" && head.kind !== "var";
        this.#children(node, isScope ? undefined : scope, depth);
        return;
      }
      case "SwitchStatement": {
        const isScope = node.cases.some(({ consequent }) => declares(consequent));
        this.#children(node, isScope ? undefined : scope, depth);
        return;
      }
      case "CatchClause":
      case "WithStatement":
      case "StaticBlock":
      case "PropertyDefinition":
      case "AccessorProperty":
        this.#children(node, undefined, depth);
        return;
      case "MethodDefinition":
        if (node.computed) this.#visit(node.key, undefined, depth);
        // A constructor is a part of how objects are made, fields included.
        this.#visit(node.value, node.kind === "constructor" ? undefined : scope, depth);
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        if (node.superClass) this.#visit(node.superClass, undefined, depth);
        this.#visit(node.body, scope, depth);
        return;
      default:
        this.#children(node, scope, depth);
    }
  }

  #function(node: AnyFunction, scope: Scope | undefined, depth: number): void {
    for (const parameter of node.params) this.#visit(parameter as Node, undefined, depth);
    const { body } = node;
    if (!body) return;
    const names = scope && parameterNames(node);
    const isBlock = body.type === "BlockStatement";
    if (scope && names) {
      scope.isUsed = true;
      const id = this.#count++;
      const self = node.type === "ArrowFunctionExpression" ? "void 0" : "this";
      const run = `${TABLE}.run(${id}, ${scope.name}, ${self}, [${names.join(", ")}])`;
      const test = `${TABLE}.$ && ${TABLE}.$.has(${id})`;
      if (isBlock) {
        const at = afterDirectives(body.body as readonly Node[], body.start + 1);
        const separator = at > body.start + 1 ? ";" : "";
        this.#edits.insert(at, `${separator} if (${test}) return ${node.generator ? "yield* " : ""}${run};`);
      } else {
        // Parentheses are no nodes: all that follows the arrow is the body.
        this.#edits.insert(this.#afterArrow(node, body.start), ` ${test} ? ${run} : (`);
        this.#edits.insert(node.end, ")");
      }
    }
    if (isBlock) this.#body(body.body as readonly Node[], body.start + 1, depth + 1);
    else this.#visit(body as Node, undefined, depth);
  }

  /** The arrow stands between the last parameter and the body, with nothing but parentheses and comments around it. */
  #afterArrow(node: AnyFunction, bodyStart: number): number {
    const last = node.params.at(-1) as Node | undefined;
    let at = last ? last.end : node.start;
    for (;;) {
      at = this.#text.indexOf("=", at);
      if (at < 0 || at > bodyStart) throw new RangeError("an arrow function without an arrow");
      const comment = this.#commentAround(last ? last.end : node.start, at);
      if (comment !== undefined) at = comment;
      else if (this.#text[at + 1] === ">") return at + 2;
      else at++;
    }
  }

  /** Where the comment ends in which `at` stands. */
  #commentAround(from: number, at: number): number | undefined {
    const comment = /\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\//g;
    comment.lastIndex = from;
    for (let found = comment.exec(this.#text); found && found.index < at; found = comment.exec(this.#text))
      if (comment.lastIndex > at) return comment.lastIndex;
    return undefined;
  }
}

function declares(statements: readonly Node[]): boolean {
  let does = false;
  addLexicalNames(statements, () => {
    does = true;
  });
  return does;
}

function afterDirectives(statements: readonly Node[], start: number): number {
  let at = start;
  for (const statement of statements) {
    if (statement.type !== "ExpressionStatement" || !("directive" in statement) || !statement.directive) break;
    at = statement.end;
  }
  return at;
}
