/** Who has to know what a start loads of packages, and in which order it comes to the app's files. */
import type { PackageRequest } from "../../src/common/protocol/package-log.js";

/** Own code asks for a package's file. `isStatic`: by an import, before the body of the importer runs. */
export interface AskedPackage extends Pick<PackageRequest, "kind" | "file" | "attributes"> {
  readonly importer?: string | undefined;
  readonly isStatic: boolean;
}

/** Told of every file of a package that own code asks for. */
export interface PackageRequestWatch {
  /** `load` gives what own code gets, and loads the package if it is not loaded. */
  requested<Result>(asked: AskedPackage, load: () => Result): Result;
  /** A package that only `import()` can load, whenever that comes to it. */
  requestedLater(asked: AskedPackage): void;
}

/** Told in which order a start comes to the app's files. */
export interface EvaluationVisits {
  /** The evaluation of an own file begins, `withImports` with that of what it imports. */
  visiting(file: string, withImports: boolean): void;
  /** What an ES module imports has been evaluated, as far as it can be: its own body runs now. */
  bodyBegins(file: string): void;
}
