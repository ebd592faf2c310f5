/** The calls that tell the runtime of each class as it is made. They stand where they cannot change what the class does. */
import type { Class, Node } from "./syntax-tree.js";
import type { TextEdits } from "./text-edits.js";

type Call = Node & { type: "CallExpression" };

/**
 * Puts a static block first into the body: it runs before the class's own static initialisers, sees the class by `this`
 * and, unlike a call around the class, leaves the inference of its name alone. It shows in the class's text, and so in
 * that of functions around it; where such a text is evaluated elsewhere (a worker, a browser), there is nobody to tell.
 */
export function registerClass(node: Class, edits: TextEdits): void {
  const reader = privateReader(node);
  const call = `__ur.class(this${reader === undefined ? "" : `, ${reader}`})`;
  edits.insert(node.body.start + 1, ` static { typeof __ur === "object" && ${call} }`);
}

/** Lets the result of a call to a class's decorators be known: it may be another class. */
export function registerDecorated({ start, end }: Call, edits: TextEdits): void {
  edits.insert(start, "__ur.class(");
  edits.insert(end, ")");
}

/** A function from an object to the values of the private fields that it has; absent when no member is private. */
function privateReader(node: Class): string | undefined {
  let hasPrivate = false;
  const fields = new Set<string>();
  for (const member of node.body.body) {
    if (!("key" in member) || member.key.type !== "PrivateIdentifier") continue;
    hasPrivate = true;
    if (member.type === "PropertyDefinition") fields.add(member.key.name);
  }
  if (!hasPrivate) return undefined;
  return `(o) => [${[...fields].map((name) => `#${name} in o && o.#${name}`).join(", ")}]`;
}

/** What every name of a helper that applies decorators has in it; see `isClassDecoration`. */
export const DECORATION_MARK = "decorate";

/**
 * `X = __decorate([...], X)` of tsc, tslib and SWC (`_ts_decorate`), and the same of the transformers used here: oxc
 * (`babelHelpers.decorate`) and esbuild (`__decorateClass`; for standard decorators `__decorateElement(_, 0, ...)`).
 */
export function isClassDecoration(node: Call, parent: Node | undefined): boolean {
  if (parent?.type !== "AssignmentExpression") return false;
  const { arguments: given } = node;
  switch (calledName(node.callee)) {
    case "__decorate":
    case "_ts_decorate":
    case "__decorateClass":
    case "babelHelpers.decorate":
      return given.length === 2;
    case "__decorateElement":
      return given[1]?.type === "Literal" && given[1].value === 0;
    default:
      return false;
  }
}

function calledName(callee: Node): string | undefined {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression" || callee.computed) return undefined;
  const { object, property } = callee;
  if (object.type !== "Identifier" || property.type !== "Identifier") return undefined;
  // `tslib_1.__decorate`; any other method must be that of the helpers by its full name.
  return property.name === "__decorate" ? property.name : `${object.name}.${property.name}`;
}

/** `babelHelpers.decorateMetadata(...)`, as the TypeScript transform writes it. */
export function isMetadataCall(node: Node & { type: "CallExpression" }): boolean {
  const { callee } = node;
  return (
    callee.type === "MemberExpression" &&
    callee.object.type === "Identifier" &&
    callee.object.name === "babelHelpers" &&
    callee.property.type === "Identifier" &&
    callee.property.name === "decorateMetadata"
  );
}
