/** Which names a module exports, `export *` expanded, by the rules of the specification. Pure. */

/** What is known of a module before it is evaluated. */
export interface ExportShape {
  /** Names exported by the module itself. */
  readonly own: readonly string[];
  /** `export * from`: keys of the targets, in source order. */
  readonly stars: readonly string[];
  /** Own names that only pass on an import: where they lead. Needed to tell one binding reached twice from two bindings. */
  readonly passedOn: () => ReadonlyMap<string, { readonly target: string; readonly name: string }>;
}

/** Exported name to the key of the star target that provides it, undefined for the module's own names. */
export interface ExportNames {
  readonly names: ReadonlyMap<string, string | undefined>;
  /** Names that two star targets provide with different bindings: not exported. */
  readonly ambiguous: ReadonlySet<string>;
}

/** Names of the module `key`. A target whose shape is unknown (undefined) provides none. */
export function exportNames(key: string, shapeOf: (key: string) => ExportShape | undefined): ExportNames {
  const names = new Map<string, string | undefined>();
  const ambiguous = new Set<string>();
  const shape = shapeOf(key);
  for (const name of shape?.own ?? []) names.set(name, undefined);
  if (!shape || shape.stars.length === 0) return { names, ambiguous };
  const bindings = new Map<string, string>();
  for (const star of shape.stars) {
    for (const name of reachableNames(star, shapeOf, new Set([key]))) {
      if (name === "default" || ambiguous.has(name)) continue;
      if (names.has(name) && names.get(name) === undefined) continue;
      // A target that has the name from here does not provide it.
      const binding = bindingOf(star, name, shapeOf, new Set([`${key}\0${name}`]));
      if (binding === undefined || binding === CIRCULAR) continue;
      if (!bindings.has(name)) {
        bindings.set(name, binding);
        names.set(name, star);
      }
      if (binding === AMBIGUOUS || binding !== bindings.get(name)) {
        names.delete(name);
        ambiguous.add(name);
      }
    }
  }
  return { names, ambiguous };
}

/** The "name" of an export that passes on a whole namespace. */
export const WHOLE_NAMESPACE = "\0namespace";
const AMBIGUOUS = "\0ambiguous";
/** An export that is passed on until it is where it began. */
const CIRCULAR = "\0circular";

/** Whether `name` of the module `key` is nothing but passed on in a circle. */
export function isCircular(key: string, name: string, shapeOf: (key: string) => ExportShape | undefined): boolean {
  return bindingOf(key, name, shapeOf, new Set()) === CIRCULAR;
}

/** GetExportedNames: every name, ambiguous ones included. */
function reachableNames(
  key: string,
  shapeOf: (key: string) => ExportShape | undefined,
  visited: Set<string>,
): Set<string> {
  const names = new Set<string>();
  if (visited.has(key)) return names;
  visited.add(key);
  const shape = shapeOf(key);
  for (const name of shape?.own ?? []) names.add(name);
  for (const star of shape?.stars ?? []) {
    for (const name of reachableNames(star, shapeOf, visited)) if (name !== "default") names.add(name);
  }
  return names;
}

/** ResolveExport: an identity for the binding that `name` of `key` leads to, or undefined when there is none. */
function bindingOf(
  key: string,
  name: string,
  shapeOf: (key: string) => ExportShape | undefined,
  visited: Set<string>,
): string | undefined {
  const step = `${key}\0${name}`;
  if (visited.has(step)) return CIRCULAR;
  visited.add(step);
  const shape = shapeOf(key);
  if (!shape) return step;
  if (shape.own.includes(name)) {
    const passedOn = shape.passedOn().get(name);
    if (passedOn?.name === WHOLE_NAMESPACE) return `${passedOn.target}\0${WHOLE_NAMESPACE}`;
    return passedOn ? (bindingOf(passedOn.target, passedOn.name, shapeOf, visited) ?? step) : step;
  }
  if (name === "default") return undefined;
  let found: string | undefined;
  for (const star of shape.stars) {
    const binding = bindingOf(star, name, shapeOf, visited);
    if (binding === undefined || binding === CIRCULAR) continue;
    if (binding === AMBIGUOUS || (found !== undefined && found !== binding)) return AMBIGUOUS;
    found = binding;
  }
  return found;
}
