/** What is found in a module's tree: references to tracked names, and the syntax that matters to those who rewrite it. */
import type { Class, ImportExpression, MetaProperty, Node } from "./syntax-tree.js";

export interface Reference {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly parent: Node;
  /** The name stands for key and value of a property: `{ name }`. */
  readonly shorthand: boolean;
  /** The name is assigned to without being read: `name = value`, `[name] = list`, `for (name of list)`. */
  readonly assigned: boolean;
  /** Called or used as a template's tag: the callee must not get a `this`. */
  readonly called: boolean;
  /** Leftmost name of what `new` constructs: a call must not be put there without parentheses. */
  readonly constructed: boolean;
  /** First token of a statement in a list: a parenthesis there could continue the statement before. */
  readonly startsStatement: boolean;
  /**
   * The expression of a type in emitted decorator metadata that the name stands in. The name may be an interface, which
   * has gone at run time, or a class that a cycle has not defined yet.
   */
  readonly metadataType: Node | undefined;
}

export interface ReferenceListener {
  reference(reference: Reference): void;
  importMeta(node: MetaProperty): void;
  dynamicImport(node: ImportExpression): void;
  /** `operand`: what is awaited or iterated over, with what stands around it; absent for `await using`. */
  topLevelAwait(operand?: { readonly start: number; readonly end: number }): void;
  /** Syntax that has to be compiled away before the module can be rewritten. */
  lowered(syntax: LoweredSyntax, node: Node): void;
  class(node: Class): void;
  /** A call that gives what a class's decorators made of it. */
  classDecoration(node: Node & { type: "CallExpression" }): void;
}

export type LoweredSyntax = "decorator" | "accessor" | "using";

/** `x++`, `x += 1`. */
export function isUpdated({ parent, start }: Reference): boolean {
  if (parent.type === "AssignmentExpression") return parent.left.start === start;
  return parent.type === "UpdateExpression";
}
