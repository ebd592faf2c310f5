/** The names that `--subclasses` takes: what main makes of the text, and what the app thread gets. Pure. */

export type SubclassName =
  /** Any class of this name, and a plain object or function put on globalThis under it. */
  | { readonly type: "plain"; readonly name: string }
  /** The class that a package exports under this name. */
  | { readonly type: "export"; readonly package: string; readonly name: string };

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;
/** `pkg`, `@scope/pkg`, `node:events`; with a path behind it when the package exports several. */
const PACKAGE = /^(?:node:)?(?:@[\w.~-]+\/)?[\w~-][\w.~-]*(?:\/[\w.~-]+)*$/;

/** Undefined when the text is neither `Name` nor `package#Name`. */
export function parseSubclassName(text: string): SubclassName | undefined {
  const [first = "", second, ...rest] = text.split("#");
  if (rest.length > 0) return undefined;
  if (second === undefined) return IDENTIFIER.test(first) ? { type: "plain", name: first } : undefined;
  return PACKAGE.test(first) && IDENTIFIER.test(second) ? { type: "export", package: first, name: second } : undefined;
}

/** The name as it was written. */
export function subclassText(name: SubclassName): string {
  return name.type === "plain" ? name.name : `${name.package}#${name.name}`;
}
