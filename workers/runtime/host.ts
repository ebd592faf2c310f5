/** What the runtime asks of the thread it lives in: code, resolution, and someone to report to. */
import type {
  CompiledModule,
  PreparedModule,
  Resolution,
  ResolveKind,
} from "../../src/common/compile/compiled-module.js";
import type { EncodedSourceMap } from "../../src/common/compile/source-map.js";
import type { LoadedModule } from "../../src/common/protocol/messages.js";
import type { ModuleEdges } from "./module-edges.js";

export interface RuntimeHost {
  /** Compiles and resolves a file that a computed specifier led to; synchronous. Throws what the compiler throws. */
  prepare(file: string): PreparedModule;
  /** Throws a ResolveError when the specifier leads nowhere. */
  resolve(specifier: string, importer: string, kind: ResolveKind): Resolution;
  /** Positions of `compiled.body` to positions of `compiled.source`: asked only when a stack is read. */
  sourceMap(compiled: CompiledModule): EncodedSourceMap;
  /** A file was prepared that nobody had added. */
  discovered(module: PreparedModule): void;
  /** A version has been evaluated, before anybody reads what it exports (cycles aside). */
  evaluated?(version: ModuleEdges): void;
  /** The app writes a file that a module has read, or into a folder that one has listed. */
  written?(file: string): void;
  /** An own file has imported this file of a package. */
  packageLoaded?(file: string, namespace: object): void;
  /** Whether an adapter looks after what is registered with this package. */
  adapts?(packageName: string): boolean;
  /** An own file has got the exports of a package that no adapter looks after; may be told more than once. */
  unknownPackage?(exports: unknown): void;
  /** Runs what has Node link modules; absent: just so. */
  linking?<Result>(run: () => Result): Result;
  /** Edges that came up outside a plan. Each entry is complete: it replaces what was known of that file's version. */
  loaded(modules: LoadedModule[]): void;
}
