/** What modules that a plan keeps still have of those that it purges: no edge tells, since requests have put it there. */
import type { Resolution } from "../../src/common/compile/compiled-module.js";
import { type Holders, holdersOf } from "../written/holders.js";
import { memosOfPurged } from "../written/memos.js";
import type { RuntimeParts } from "./assemble.js";
import type { Loading } from "./loading.js";

type Parts = Pick<RuntimeParts, "registry" | "state" | "globals">;

/** Who is kept when `purged` go, and leads to something of `ended`. */
export function keptHolders(
  { registry, state, globals }: Parts,
  ended: ReadonlySet<object>,
  purged: ReadonlySet<string>,
): Holders {
  const records = [...registry.all()];
  const namespaces = new Set<unknown>(
    records.flatMap(({ namespace, requiredView, importedView, interopViews }) => [
      namespace.object,
      requiredView?.object,
      importedView?.object,
      ...interopViews.values(),
    ]),
  );
  return holdersOf(ended, purged, {
    ...state,
    files: () => evaluatedFiles({ registry }),
    globals: () => globals?.ofNobody() ?? [],
    isMentioned: (name) => records.some(({ version }) => version?.prepared.compiled.source.includes(name)),
    isNamespace: (object) => namespaces.has(object),
  });
}

/** Files that are kept when `purged` go, each with one of these from which it has filled a variable. */
export function keptMemos(
  { registry, state, loading }: Omit<Parts, "globals"> & Pick<RuntimeParts, "loading">,
  purged: ReadonlySet<string>,
): Map<string, string> {
  return memosOfPurged(purged, {
    ...state,
    files: () => evaluatedFiles({ registry }),
    targetOf(file, specifier) {
      const { prepared } = registry.version(file) ?? {};
      const index = prepared?.compiled.imports.findIndex((imported) => imported.specifier === specifier) ?? -1;
      const known = prepared?.imports[index] ?? prepared?.requires[specifier];
      const target = known ?? importTarget(loading, file, specifier);
      return target?.type === "file" ? target.file : undefined;
    },
    leadsTo(file) {
      const { prepared, edges } = registry.version(file) ?? {};
      const imports = (prepared?.imports ?? []).flatMap((target) => (target.type === "file" ? target.file : []));
      return [...imports, ...(edges?.observed ?? []), ...(edges?.dynamic ?? [])];
    },
  });
}

function evaluatedFiles({ registry }: Pick<Parts, "registry">): Set<string> {
  return new Set([...registry.all()].flatMap(({ file, version }) => (version ? file : [])));
}

/** Of an `import()`, which has led there when the variable was filled; undefined: it does no more. */
function importTarget(loading: Loading, file: string, specifier: string): Resolution | undefined {
  try {
    return loading.resolve(specifier, file, "import");
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
