/** What a page of the app that loads itself again is told (`events?live`). */
// Imports nothing: it is compiled for browsers, too.

export interface LiveNews {
  /** Of the code that answers: another one, another answer. */
  readonly version: string;
  /** The newest code does not run, and requests get the page that says so. */
  readonly failed: boolean;
  /** Names of the files that have brought this version; absent: not known. */
  readonly changed?: readonly string[];
}

/** Files of pages that have changed, by name, and are no part of the code that runs. */
export interface LiveFiles {
  readonly files: readonly string[];
}
