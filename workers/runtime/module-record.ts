/**
 * What the registry knows of one file: things that stay for the file, and the version that is current; of one ES module
 * (the state that the specification calls a cyclic module record), or of one CommonJS or JSON file.
 */
import type Module from "node:module";
import { pathToFileURL } from "node:url";
import type { PreparedModule, Resolution } from "../../src/common/compile/compiled-module.js";
import type { ExportNames } from "./export-names.js";
import type { ModuleEdges } from "./module-edges.js";
import type { Namespace, Read } from "./namespace.js";
import type { NamespaceBridge } from "./namespace-bridge.js";
import type { Attributes, NativeTarget } from "./native-modules.js";
import type { VersionSwaps } from "./swaps.js";

export type ModuleVersion = EsmModule | CommonJsModule;

/**
 * Gives a getter for each top-level binding that the module does not export. A getter throws a ReferenceError as long as
 * the declaration of a `let`, `const` or `class` has not been reached.
 */
export type PrivateBindings = () => Readonly<Record<string, Read>>;

export class ModuleRecord {
  readonly file: string;
  /** Query and fragment by which it was imported; empty for most. */
  readonly search: string;
  readonly url: string;
  readonly namespace: Namespace;
  /** The newest code; the current version may have been made of older one. */
  prepared: PreparedModule | undefined;
  /** Undefined before the first evaluation and between purge and load. */
  version: ModuleVersion | undefined;
  /** `module` of a CommonJS file. One object for the file, so that those who keep it (`children`) keep no old version. */
  module: Module | undefined;
  /** What `require.cache` has of an ES module that was required. */
  cached: Module | undefined;
  /** Of a CommonJS file: an ES module has imported it, so that its namespace has the names that Node finds in its text. */
  isImported = false;
  /** `module.parent`: the own file or Node's module that required it first. */
  requiredBy: string | Module | undefined;
  /** What `require()` gives for an ES module with a default export: its namespace marked with `__esModule`. */
  requiredView: Namespace | undefined;
  /** What an ES module imports of TypeScript that is compiled for CommonJS: the default is `module.exports`. */
  importedView: Namespace | undefined;
  /** Stand-ins among Node's modules, for packages that import this file. */
  readonly bridges = new Set<NamespaceBridge>();
  /** What an importer with CommonJS interop reads of this file, one object for each kind of interop. */
  readonly interopViews = new Map<string, object>();

  constructor(file: string, search: string, namespace: Namespace) {
    this.file = file;
    this.search = search;
    this.url = pathToFileURL(file).href + search;
    this.namespace = namespace;
  }

  /** No other has it; that of a file that was imported without a query is the file. */
  get key(): string {
    return keyOfModule(this.file, this.search);
  }
}

export function keyOfModule(file: string, search: string): string {
  return search === "" ? file : `${file}\0${search}`;
}

/** The file of a key. */
export function fileOfKey(key: string): string {
  const at = key.indexOf("\0");
  return at < 0 ? key : key.slice(0, at);
}

/**
 * How the body is compiled. "plain" when nothing in its graph is asynchronous. Otherwise it may have to stop after its
 * prologue until its dependencies are done: "resumable" as a generator, "async" (top-level await) as an async generator.
 */
export type BodyForm = "plain" | "resumable" | "async";

/** linked: not started. evaluating: on the stack. waiting: asynchronous, under way. */
export type EsmState = "linked" | "evaluating" | "waiting" | "evaluated" | "failed";

export type ImportTarget =
  | { readonly type: "own"; readonly record: ModuleRecord }
  | { readonly type: "native"; readonly target: NativeTarget; readonly attributes: Attributes };

/** A promise that importers of the module wait for; only made when somebody waits. */
export interface Completion {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class EsmModule {
  readonly kind = "esm";
  readonly record: ModuleRecord;
  prepared: PreparedModule;
  readonly edges: ModuleEdges;
  /** Parallel to `prepared.imports`. */
  imports: readonly ImportTarget[] = [];
  /** Parallel to `imports`: what the body reads imported bindings from. Undefined until a native module is loaded. */
  namespaces: unknown[] = [];
  form: BodyForm = "plain";
  state: EsmState = "linked";
  error: unknown;
  /** Own exports by name, once the prologue has run. */
  readonly reads = new Map<string, Read>();
  /** Undefined before the prologue has run, and when there are none. */
  privateBindings: PrivateBindings | undefined;
  /** Absent when its functions have no cells. */
  swaps: VersionSwaps | undefined;
  /** Tells the body that `namespaces` has changed. */
  rebind: (() => void) | undefined;
  /** Runs the body from behind its prologue. */
  resume: (() => unknown) | undefined;
  /** `__ur` of the body: as long as any function of the module is alive, so is this (see `Scripts`). */
  scope: object | undefined;
  /** With CommonJS interop: exports that came by `export =`, `module.exports =` or `exports.name =`. */
  commonJs: { reads: ReadonlyMap<string, Read> } | undefined;
  /** Exported names, `export *` expanded; set when linked. */
  exportNames: ExportNames | undefined;

  // The fields of the specification (Cyclic Module Records), with its meaning.
  index = 0;
  ancestor = 0;
  /** Dependencies still awaited. */
  pending = 0;
  /** Rises in the order in which modules became asynchronous; 0: evaluated synchronously. */
  order = 0;
  /** Importers that wait for this module. An entry of an earlier attempt is void. */
  waiters: { readonly module: EsmModule; readonly attempt: number }[] = [];
  cycleRoot: EsmModule = this;
  completion: Completion | undefined;
  /** The mark of the last top-level await that the body has come to. */
  awaiting: number | undefined;
  /** Counts evaluations that had to be started again because a package turned out to be asynchronous. */
  attempt = 0;
  /** The evaluation on whose stack this module is; set while `state` is "evaluating". */
  run: EvaluationRun | undefined;
  /** An error of `dependencies()`; an async body cannot throw it to its caller. */
  dependencyError: { readonly error: unknown } | undefined;
  /** Ends the attribution of asynchronous work. */
  endPending: (() => void) | undefined;

  constructor(record: ModuleRecord, prepared: PreparedModule, edges: ModuleEdges) {
    this.record = record;
    this.prepared = prepared;
    this.edges = edges;
  }

  /** The version has been purged: what is left of it, in functions that others hold, refers to no other version. */
  release(): void {
    this.cycleRoot = this;
    this.reads.clear();
    this.rebind = undefined;
  }

  get hasTopLevelAwait(): boolean {
    return this.prepared.compiled.topLevelAwait;
  }
}

/** One depth-first walk. */
export interface EvaluationRun {
  readonly stack: EsmModule[];
  nextIndex: number;
}

/** One version of one CommonJS or JSON file. */
export class CommonJsModule {
  readonly kind = "commonjs";
  readonly record: ModuleRecord;
  prepared: PreparedModule;
  readonly edges: ModuleEdges;
  /** `__ur` of the body: as long as any function of the module is alive, so is this (see `Scripts`). */
  scope: object | undefined;
  /** Undefined before the end of the body was reached (one that returns early never does), and when there are none. */
  privateBindings: PrivateBindings | undefined;
  /** Absent when its functions have no cells. */
  swaps: VersionSwaps | undefined;
  state: "evaluating" | "evaluated" = "evaluating";
  /** Specifier to where hooks of the app's have led it. */
  readonly required = new Map<string, Resolution>();

  constructor(record: ModuleRecord, prepared: PreparedModule, edges: ModuleEdges) {
    this.record = record;
    this.prepared = prepared;
    this.edges = edges;
  }
}
