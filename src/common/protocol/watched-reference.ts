/**
 * What the app thread puts around each object that it watches for being collected, and what a heap snapshot shows of it:
 * an object of this class with a string `marker` and a WeakRef `target`, through which the watched object is found.
 * The watched object itself is left as it is.
 */
export class UnreloaderWatchedReference {
  /** Unlike any other string of the process. */
  readonly marker: string;
  readonly target: WeakRef<object>;

  constructor(marker: string, target: object) {
    this.marker = marker;
    this.target = new WeakRef(target);
  }
}
