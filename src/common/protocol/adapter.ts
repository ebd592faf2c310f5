/**
 * What an adapter is: it knows how a library registers what the app's files define, where no graph and no ledger can see
 * it. Adapters run in the app thread. They load nothing: each is given a library's exports when the app has loaded it.
 */

/** The default export of a module named by the option `adapters`, or one of a list there. */
export interface Adapter {
  /** For messages; usually the library's name. */
  readonly name: string;
  /** npm packages whose exports the adapter wants. */
  readonly packages: readonly string[];
  /**
   * Names under which they keep a registry on `globalThis`: it stays when the file that called first is purged, and what files
   * have put into it is left to the adapter.
   */
  readonly globals?: readonly string[];
  /**
   * Called for every copy of such a package, when it has been loaded and before an own file uses it. Usually wraps what
   * registers, and records how to take it back. May be called with the CommonJS and the ES module exports of one copy.
   */
  attach(library: Library, context: AdapterContext): AttachedAdapter | undefined;
}

/** A copy of a package that the app has loaded. */
export interface Library {
  /** The package's name: one of the adapter's `packages`. */
  readonly name: string;
  /** From the package's package.json. */
  readonly version: string;
  /** `module.exports`, or the namespace of an ES module. */
  readonly exports: LibraryExports;
}

/** Whatever a library exports; the adapter knows its shape. */
// biome-ignore lint/suspicious/noExplicitAny: each library has a shape of its own, which only its adapter knows
export type LibraryExports = any;

/** A constructor of whatever signature. */
// biome-ignore lint/suspicious/noExplicitAny: classes of every shape
export type Constructor = abstract new (...args: any[]) => object;

/** What an adapter can have done for it. */
export interface AdapterContext {
  /**
   * Notes how to take back what is being registered now, for the file under evaluation: called (and awaited, 5 s at most)
   * when that file is purged, newest first. Outside of any evaluation, as in a request, nothing is noted. `ended`: what is no
   * good any more then, or a promise of it; a file that is kept, and holds it, is evaluated again, too.
   */
  record(what: string, undo: () => void | Promise<void>, ended?: object): void;
  /** Absolute path of the file to which what happens now belongs; undefined in requests. */
  readonly owner: string | undefined;
  /**
   * What the file under evaluation is being given comes from another own file (a plugin that it has registered with the
   * library, say): when that one is reloaded, the file is evaluated again, too. `file`: an earlier `owner`.
   */
  uses(file: string): void;
  /** Runs what belongs to the library, not to the file that happens to call it: a shared connection, say. */
  outside<Result>(run: () => Result): Result;
  /**
   * Gives a stand-in for a function or class of the library: what it makes while a file is being evaluated is handed to
   * `close` when that file is purged (awaited, 5 s at most). To be used with `replaceExports`.
   */
  watchMaking<Maker extends object>(
    maker: Maker,
    what: string,
    close: (made: LibraryExports) => void | Promise<void>,
  ): Maker;
  /**
   * Gives these exports to every file that loads the library from now on: for a library whose `module.exports` is a function. An ES
   * module's exports cannot be replaced: nothing happens then.
   */
  replaceExports(exports: LibraryExports): void;
  /**
   * Replaces a method by what `replace` makes of it, once for each object and name; its own properties are kept. An object
   * without such a method is left alone, so that other versions of the library do no harm.
   */
  wrap(target: unknown, name: PropertyKey, replace: (original: Method) => Method): void;
  /** The option `sockets`: what becomes of open connections whose listener is replaced. */
  readonly sockets: "move" | "close" | "keep";
  /** Says something to the user, once for each text. */
  warn(message: string): void;
}

// biome-ignore lint/suspicious/noExplicitAny: methods of every signature
export type Method = (this: any, ...args: any[]) => any;

/** An adapter at work on one copy of its library. */
export interface AttachedAdapter {
  /** These classes of a purged file go: forget them. After the file's records were taken back. */
  purge?(purged: PurgedClasses): void | Promise<void>;
  /** A reload has been applied: what it has evaluated is current. Not awaited. */
  applied?(): void;
  /** The app's thread is about to end: lets what a native addon has under way end first. Awaited, 2 s at most. */
  end?(): void | Promise<void>;
}

/** Classes that go with the file that defined them. */
export interface PurgedClasses {
  /** Absolute path. */
  readonly file: string;
  /** Constructors. */
  readonly classes: ReadonlySet<unknown>;
}
