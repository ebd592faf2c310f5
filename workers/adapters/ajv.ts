/** ajv (8, and what 6 shares with it): schemas, keywords and formats of an instance that is kept. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { afterCalls } from "./patterns.js";
import { type Collection, watchRegistrations } from "./registrations.js";

interface Ajv {
  readonly schemas: Record<string, unknown>;
  readonly refs: Record<string, unknown>;
  readonly _cache?: Map<unknown, unknown>;
  readonly formats?: Record<string, unknown>;
  removeKeyword(keyword: string): unknown;
  /** What compiled code refers to: never let go by ajv itself. */
  readonly scope?: {
    readonly _values: Record<string, Map<unknown, { readonly value?: { readonly ref?: unknown } }>>;
    readonly _scope: Record<string, unknown[]>;
  };
}

export default {
  name: "ajv",
  packages: ["ajv"],
  attach({ exports }, context) {
    const Ajv = exports.Ajv ?? exports.default?.default ?? exports.default ?? exports;
    // `ajv/dist/2019` and the like share their base class.
    const base: object = Object.getPrototypeOf(Ajv.prototype);
    for (const target of [Ajv.prototype, base]) {
      if (target === Object.prototype) continue;
      watchRegistrations<Ajv>(
        target,
        {
          what: "ajv registration",
          methods: ["addSchema", "addMetaSchema", "addFormat", "compile", "compileAsync", "validate"],
          collections: ({ schemas, refs, _cache, formats }): (Collection | undefined)[] => [
            schemas,
            refs,
            _cache,
            formats,
          ],
          removed: forgetCompiled,
        },
        context,
      );
      afterCalls<Ajv>(target, "addKeyword", context, (ajv, args) => {
        for (const name of keywordNames(args))
          context.record(`ajv keyword ${name}`, () => void ajv.removeKeyword(name));
      });
    }
    return undefined;
  },
} satisfies Adapter;

/** Takes out what was compiled of a schema: constants and functions, by their place in lists that keep their length. */
function forgetCompiled(ajv: Ajv, key: unknown): void {
  if (typeof key !== "object" || key === null) return;
  const parts = partsOf(key);
  const isPart = (value: unknown): boolean =>
    parts.has(value) || (typeof value === "function" && parts.has(Reflect.get(value, "schema")));
  for (const [prefix, names] of Object.entries(ajv.scope?._values ?? {})) {
    const list = ajv.scope?._scope[prefix];
    for (const [name, { value }] of names) {
      if (!isPart(name) && !isPart(value?.ref)) continue;
      names.delete(name);
      const at = list?.indexOf(value?.ref) ?? -1;
      if (list && at >= 0) list[at] = undefined;
    }
  }
}

/** The objects of which a schema consists. */
function partsOf(schema: object): ReadonlySet<unknown> {
  const parts = new Set<unknown>([schema]);
  // Walked in insertion order, parts added on the way included.
  for (const part of parts) {
    for (const value of Object.values(part as object))
      if (typeof value === "object" && value !== null) parts.add(value);
  }
  return parts;
}

/** `addKeyword("name")`, `addKeyword({ keyword: "name" })`, or lists of names in either. */
function keywordNames([first]: readonly unknown[]): string[] {
  const named = typeof first === "object" && first !== null && "keyword" in first ? first.keyword : first;
  return [named].flat().filter((name) => typeof name === "string");
}
