/** What the runtime is given by the thread it lives in: code, resolution, someone to report to; and its settings. */
import type {
  CompiledModule,
  PreparedModule,
  Resolution,
  ResolveKind,
} from "../../src/common/compile/compiled-module.js";
import type { CompileAs } from "../../src/common/compile/compiler.js";
import type { EncodedSourceMap } from "../../src/common/compile/source-map.js";
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import type { Slots } from "../written/slots.js";
import type { LateFileUses } from "./file-reads.js";
import type { ModuleEdges } from "./module-edges.js";
import type { EsmModule, ModuleVersion } from "./module-record.js";
import type { Observer } from "./observer.js";
import type { EvaluationVisits, PackageRequestWatch } from "./package-watch.js";

export interface RuntimeHost {
  /** Compiles and resolves a file that a computed specifier led to; synchronous. Throws what the compiler throws. */
  prepare(file: string): PreparedModule;
  /** The same for a file that hooks of Node's loader have a say in. Absent: nobody registers any. */
  prepareAs?(file: string, as: CompileAs): PreparedModule;
  /** What Node calls the format of a file, by its name and package. */
  formatOf?(file: string): string | undefined;
  /** The app has changed how Node's loader finds and reads own files. */
  loaderChanged?(): void;
  /** Own code has registered hooks of Node's loader. */
  hooksRegistered?(undo: () => void): void;
  /** Throws a ResolveError when the specifier leads nowhere. `conditions`: of `exports` and `imports`, in place of Node's. */
  resolve(specifier: string, importer: string, kind: ResolveKind, conditions?: readonly string[]): Resolution;
  /** Files any of which, if it were there, would be where a specifier that leads nowhere leads; absent: nobody asks. */
  missing?(specifier: string, importer: string, kind: ResolveKind): readonly string[];
  /** Node itself has looked up a specifier of an own file; absent: nobody asks. */
  lookedUp?(specifier: string, importer: string, kind: ResolveKind): void;
  /** Node was started with hooks of its own, in its other thread: `--loader`. */
  readonly hasLoader?: boolean | undefined;
  /** Those of `--conditions`; absent: none. */
  readonly conditions?: readonly string[] | undefined;
  /** Positions of `compiled.body` to positions of `compiled.source`: asked only when a stack is read. */
  sourceMap(compiled: CompiledModule): EncodedSourceMap;
  /** Where a text of a package has `import()`: start offsets. Absent: packages are left as they are. */
  dynamicImports?(text: string): readonly number[];
  /** A file was prepared that nobody had added. */
  discovered(module: PreparedModule): void;
  /** A version has been evaluated, before anybody reads what it exports (cycles aside). */
  evaluated?(version: ModuleEdges): void;
  /** The app writes a file that a module has read, or into a folder that one has listed. */
  written?(file: string): void;
  /** A file of a package is read as data, or a folder listed, for what is being evaluated; or it is written. */
  packageUsed?(file: string, writes: boolean): void;
  /** A package that is not there, or a file of one, is asked for by what is being evaluated. */
  packageSought?(specifier: string, importer: string): void;
  /** The version has created what a purge would undo; absent: none has. */
  undoes?(version: ModuleEdges): boolean;
  /** Hash of what is in a file now; absent: what was prepared is never compared. */
  hashOf?(file: string): string | undefined;
  /** What is known of a file holds no more. */
  forget?(file: string): void;
  /** The app writes the file of a module. `hash`: of what is in it then, if known. `isState`: it has been evaluated before. */
  moduleWritten?(file: string, hash: string | undefined, isState: boolean): void;
  /** An own file has imported this file of a package. */
  packageLoaded?(file: string, namespace: object): void;
  /** Whether an adapter looks after what is registered with this package. */
  adapts?(packageName: string): boolean;
  /** An own file has got the exports of a package that no adapter looks after; may be told more than once. */
  unknownPackage?(exports: unknown, name: string): void;
  /** Who wants to know of files that are read later than at an evaluation. */
  readonly lateReads?: LateFileUses | undefined;
  /** An own file has got the exports of a package; may be told more than once. */
  handedOver?(exports: unknown): void;
  /** Runs what has Node link modules; absent: just so. */
  linking?<Result>(run: () => Result): Result;
  /** Edges that came up outside a plan. Each entry is complete: it replaces what was known of that file's version. */
  loaded(modules: LoadedModule[]): void;
}

export interface RuntimeOptions {
  /** Folder below which files that are read during evaluation count as dependencies; absent: none do. */
  readonly root?: string | undefined;
  /** The app's main file: `require.main`, `import.meta.main`. */
  readonly entry: string;
  /** Scripts carry their source maps with them, for a debugger. Making one costs as much as compiling. */
  readonly inlineMaps?: boolean | undefined;
  /** Functions have cells, of which nobody shall see anything. */
  readonly cells?: boolean | undefined;
  /** Who is being evaluated; given when others need to know as well. */
  readonly observer?: Observer | undefined;
  /** What has to know what the app loads, and in which order; absent: nothing. */
  readonly packageRequests?: (PackageRequestWatch & EvaluationVisits) | undefined;
  /** The globals that own files have set: whether a file has any, and their names and values in turn, as those of nobody; absent: none. */
  readonly globals?: { has(file: string): boolean; of(file: string): Slots; ofNobody(): Slots } | undefined;
  /** What modules get as `import.meta.hot` and `module.hot`; absent: nothing. */
  readonly hot?: HotContexts | undefined;
}

export interface HotContexts {
  importMeta(module: EsmModule): object;
  module(version: ModuleVersion): object;
}
