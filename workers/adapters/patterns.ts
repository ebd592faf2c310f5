/** What many libraries have in common: adapters that only say where, and the pieces that others are made of. */
import { createRequire } from "node:module";
import type { Adapter, AdapterContext, LibraryExports } from "../../src/common/protocol/adapter.js";
import { forgetClasses, type Registrations, watchRegistrations } from "./registrations.js";

const require = createRequire(import.meta.url);

type Close<Made> = (made: Made) => void | Promise<void>;

/** What a function or class of the library makes is closed with the file that had it made. */
export function closedWithFile<Made>({
  package: name,
  make = (exports) => exports,
  what,
  close,
}: {
  readonly package: string;
  /** The function or class, which takes the place of the library's exports; absent: the exports themselves. */
  make?(exports: LibraryExports): LibraryExports;
  /** In words, for messages. */
  readonly what: string;
  readonly close: Close<Made>;
}): Adapter {
  return {
    name,
    packages: [name],
    attach({ exports }, context) {
      context.replaceExports(context.watchMaking(make(exports), what, close));
      return undefined;
    },
  };
}

/** What the library's methods add to its collections goes with the file that called them. */
export function watchedRegistrations<Self>({
  package: name,
  target,
  ...registrations
}: Registrations<Self> & {
  readonly package: string;
  /** Has the methods. */
  target(exports: LibraryExports): unknown;
}): Adapter {
  return {
    name,
    packages: [name],
    attach({ exports }, context) {
      watchRegistrations(target(exports), registrations, context);
      return undefined;
    },
  };
}

/** What the library keeps for classes is forgotten with them. */
export function forgottenClasses({
  package: name,
  globals = [],
  attach,
  collections,
  fields,
}: {
  readonly package: string;
  readonly globals?: readonly string[];
  /** What else is to be done when the library has been loaded. */
  attach?(exports: LibraryExports): void;
  /** Looked up at each purge; what is no collection is left alone. */
  collections(exports: LibraryExports): readonly unknown[];
  /** Of entries: those that may be the class. */
  readonly fields?: readonly string[];
}): Adapter {
  return {
    name,
    packages: [name],
    globals,
    attach({ exports }) {
      attach?.(exports);
      return {
        purge({ classes }) {
          for (const collection of collections(exports)) forgetClasses(collection, classes, fields);
        },
      };
    },
  };
}

/** Tells `called` of each call of `method`, when that has returned. */
export function afterCalls<Self = unknown, Result = unknown>(
  target: unknown,
  method: string,
  context: AdapterContext,
  called: (self: Self, args: LibraryExports[], result: Result) => void,
): void {
  context.wrap(
    target,
    method,
    (original) =>
      function (this: Self, ...args) {
        const result = original.apply(this, args) as Result;
        called(this, args, result);
        return result;
      },
  );
}

/**
 * Objects whose constructor calls `method` are closed with the file that made them. `isTakenOut`: by that they leave what holds
 * them, which goes on without them.
 */
export function closeConstructed<Made extends object>(
  prototype: unknown,
  method: string,
  {
    what,
    close,
    isTakenOut = false,
  }: { readonly what: string; readonly close: Close<Made>; readonly isTakenOut?: boolean },
  context: AdapterContext,
): void {
  const seen = new WeakSet<Made>();
  context.wrap(
    prototype,
    method,
    (original) =>
      function (this: Made, ...args) {
        if (!seen.has(this)) context.record(what, () => close(this), isTakenOut ? undefined : this);
        seen.add(this);
        return original.apply(this, args);
      },
  );
}

/** What `method` opens, a promise of which it gives, is closed with the file that called it. */
export function closeOpened<Made>(
  target: unknown,
  method: string,
  { what, close }: { readonly what: string; readonly close: Close<Made> },
  context: AdapterContext,
): void {
  afterCalls<unknown, Promise<Made>>(target, method, context, (_, __, opening) => {
    const closeIt = async (): Promise<void> => {
      // One that could not be opened has nothing to close; those who wait for it have the error.
      const made = await opening.catch(() => undefined);
      if (made !== undefined) await close(made);
    };
    context.record(what, closeIt, opening);
  });
}

/** What `method` makes is the library's own (connections of a pool), whichever file asks first. */
export function callOutside(target: unknown, method: string, context: AdapterContext): void {
  context.wrap(
    target,
    method,
    (original) =>
      function (...args) {
        return context.outside(() => original.apply(this, args));
      },
  );
}

/** Files of a library that have been loaded as CommonJS, with what they export: for what the library itself does not. */
export function loadedFiles(pattern: RegExp): { readonly file: string; readonly exports: LibraryExports }[] {
  const modules = Object.entries(require.cache).filter(([file]) => pattern.test(file));
  return modules.map(([file, module]) => ({ file, exports: module?.exports as LibraryExports }));
}
