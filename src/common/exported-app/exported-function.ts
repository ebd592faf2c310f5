/** Finds what `supervisor.call()` runs. */
import { UnreloaderError } from "../errors.js";
import { enumerableNames, ownValue } from "../untouched.js";

type Exported = (...args: unknown[]) => unknown;

/**
 * The export `name`, or the function of that name inside the default export, which then is its `this`.
 * @throws UnreloaderError (ERR_UNRELOADER_CALL) that names the functions there are.
 */
export function exportedFunction(
  namespace: Readonly<Record<string, unknown>>,
  name: string,
): { readonly run: Exported; readonly owner: unknown } {
  const inner = namespace.default;
  if (Object.hasOwn(namespace, name) && typeof namespace[name] === "function")
    return { run: namespace[name] as Exported, owner: undefined };
  if (isOwner(inner) && typeof inner[name] === "function" && !isInherited(inner, name))
    return { run: inner[name] as Exported, owner: inner };
  const names = [...new Set([...functionsOf(namespace), ...(isOwner(inner) ? functionsOf(inner) : [])])];
  const exported = names.length === 0 ? "it exports no function" : `it exports ${names.join(", ")}`;
  throw new UnreloaderError("ERR_UNRELOADER_CALL", `the entry exports no function ${name}: ${exported}`);
}

function isOwner(value: unknown): value is Record<string, unknown> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** `toString`, `call` and the like, which every object or function has. */
function isInherited(owner: object, name: string): boolean {
  return name in (typeof owner === "function" ? Function.prototype : Object.prototype);
}

function functionsOf(owner: Readonly<Record<string, unknown>>): string[] {
  return enumerableNames(owner).filter((name) => typeof ownValue(owner, name) === "function");
}
