/** Told in which order a start comes to the app's files. */
export interface EvaluationVisits {
  /** The evaluation of an own file begins, `withImports` with that of what it imports. */
  visiting(file: string, withImports: boolean): void;
  /** What an ES module imports has been evaluated, as far as it can be: its own body runs now. */
  bodyBegins(file: string): void;
}
