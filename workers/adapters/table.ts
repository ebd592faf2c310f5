/** Libraries that need no code of their own: each row says what the library makes or keeps, and how that is undone. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { closedWithFile, forgottenClasses, loadedFiles, watchedRegistrations } from "./patterns.js";

/** better-sqlite3 (7 to 12): an open database is a native object with a file descriptor. */
const betterSqlite3 = closedWithFile({
  package: "better-sqlite3",
  make: (exports) => exports.default ?? exports,
  what: "sqlite database",
  close: (database: { close(): unknown }) => void database.close(),
});

/**
 * fastify (4, 5): `onClose` hooks of an instance run only when it is closed. Its http server has been released by then, and
 * keeps its connections.
 */
const fastify = closedWithFile({
  package: "fastify",
  what: "fastify instance",
  close: (app: { close(): Promise<void> }) => app.close(),
});

/** passport (0.4 to 0.7): strategies by name, and lists of (de)serializers, of which the first wins. */
const passport = watchedRegistrations<{
  readonly _strategies: Record<string, unknown>;
  readonly _serializers: unknown[];
  readonly _deserializers: unknown[];
  readonly _infoTransformers: unknown[];
}>({
  package: "passport",
  target(exports) {
    const { Authenticator, Passport } = exports.default ?? exports;
    return Authenticator?.prototype ?? Passport?.prototype;
  },
  what: "passport registration",
  methods: ["use", "serializeUser", "deserializeUser", "transformAuthInfo"],
  collections: (self) => [self._strategies, self._serializers, self._deserializers, self._infoTransformers],
});

/** prom-client (14, 15): metrics by name in each registry. Default metrics are made again by the file that asked for them. */
const promClient = watchedRegistrations<{
  readonly _metrics: Record<string, unknown>;
  readonly _collectors: unknown[];
}>({
  package: "prom-client",
  target: (exports) => exports.Registry?.prototype,
  what: "prom-client metric",
  methods: ["registerMetric", "registerCollector"],
  collections: (self) => [self._metrics, self._collectors],
});

/** type-graphql (1, 2): types, fields and resolvers by class, in one storage for the process, and what was built of them. */
const typeGraphql = forgottenClasses({
  package: "type-graphql",
  globals: ["TypeGraphQLMetadataStorage"],
  collections: (exports) =>
    Object.values(exports.getMetadataStorage?.() ?? Reflect.get(globalThis, "TypeGraphQLMetadataStorage") ?? {}),
  fields: ["target", "objectType"],
});

const TRANSFORMER_STORAGE = /[\\/]class-transformer[\\/](?:cjs[\\/])?storage\.js$/;
const TRANSFORMER_MAPS = [
  "_typeMetadatas",
  "_transformMetadatas",
  "_exposeMetadatas",
  "_excludeMetadatas",
  "_ancestorsMap",
];

/** class-transformer (0.5): type, transform, expose and exclude metadata by class. The package does not export its storage. */
const classTransformer = forgottenClasses({
  package: "class-transformer",
  collections: () =>
    loadedFiles(TRANSFORMER_STORAGE).flatMap(({ exports }) =>
      TRANSFORMER_MAPS.map((name): unknown => exports?.defaultMetadataStorage?.[name]),
    ),
});

/** class-validator (0.13, 0.14): constraints by class, in one storage for the process. */
const classValidator = forgottenClasses({
  package: "class-validator",
  globals: ["classValidatorMetadataStorage"],
  // An app that has a container of its own sets it later.
  attach: (exports) => exports.useContainer?.(createWeakContainer()),
  collections(exports) {
    const storage = exports.getMetadataStorage?.();
    return [storage?.validationMetadatas, storage?.constraintMetadatas];
  },
});

/** routing-controllers (0.10, 0.11): controllers, actions and parameters by class, in one storage for the process. */
const routingControllers = forgottenClasses({
  package: "routing-controllers",
  globals: ["routingControllersMetadataArgsStorage"],
  attach: (exports) => exports.useContainer?.(createWeakContainer()),
  collections: (exports) => Object.values(exports.getMetadataArgsStorage?.() ?? {}),
  fields: ["target", "object"],
});

/**
 * As the default container of class-validator and routing-controllers: one instance of each class; but for as long as the
 * class is there, where theirs keeps every class that it was asked for.
 */
function createWeakContainer(): { get(wanted: new () => object): object } {
  const instances = new WeakMap<object, object>();
  return {
    get(wanted) {
      let instance = instances.get(wanted);
      if (!instance) {
        instance = new wanted();
        instances.set(wanted, instance);
      }
      return instance;
    },
  };
}

export default [
  betterSqlite3,
  classTransformer,
  classValidator,
  fastify,
  passport,
  promClient,
  routingControllers,
  typeGraphql,
] satisfies Adapter[];
