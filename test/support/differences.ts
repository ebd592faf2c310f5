/**
 * What of an app's surroundings may be different under unreloader, and why. Rows that users may meet stand in
 * docs/differences.md, by `documented`.
 */
export interface Difference {
  /** Names of the sweep: `module.property` for a shape, `module: call` for an outcome; those of packages have `package, ` before. */
  readonly what: RegExp;
  readonly why: string;
  /** Words of the page's row; absent: nothing that a program would look at. */
  readonly documented?: string;
  /** Not on every version of Node. */
  readonly sometimes?: true;
}

export const ALLOWED: readonly Difference[] = [
  {
    what: /^process\.title$/,
    why: "Node's own property cannot be set in a worker thread",
    documented: "`process.title` is an accessor",
  },
  {
    what: /^process\.ppid$/,
    why: "the parent of the launcher, which may change",
    documented: "`process.ppid` is an accessor",
  },
  {
    what: /node:trace_events: /,
    why: "trace events are the main thread's",
    documented: "`node:trace_events` is refused",
  },
  {
    what: /^process\.emit$/,
    why: "what nobody catches is seen before the thread ends, without a listener that the app would count",
    documented: "`process.emit` an own property",
  },
  {
    what: /^process\.mainModule$/,
    why: "an accessor finds the entry, which changes with reloads; it is undefined for an ES module, as in Node",
    documented: "`process.mainModule` is an accessor",
  },
  {
    what: /^inspector(\/promises)?\.console$/,
    why: "before Node 26, V8's console of a thread has `createTask`, which that of a main thread has lost",
    sometimes: true,
  },
  {
    what: /^(crypto\.)?constants(\.defaultCipherList)?$/,
    why: "a property that comes with the loading of node:tls",
    sometimes: true,
  },
  {
    what: /^http\.ServerResponse$/,
    why: "its `end` is replaced: the end of an answer is known before its bytes leave",
  },
  {
    what: /^globalThis\.Error$/,
    why: "`Error.prepareStackTrace` has another name: stacks show the lines of the source",
  },
  { what: /\(unreloader\.\w+\)$/, why: "properties of ours, by symbols of our own" },
  {
    what: /process: (eventNames|listeners)$/,
    why: "before Node 24, a listener of Node's own while an ES module is the entry and is evaluated",
    sometimes: true,
  },
  {
    what: /process: env printed$/,
    why: "what a module sets is taken back when it is reloaded; from Node 26 on proxies are printed as such",
    documented: "`process.env` is a proxy",
    sometimes: true,
  },
  {
    what: /node:v8: getHeapStatistics$/,
    why: "from Node 24 on the young generation of a thread is limited, or the end of a thread without memory aborts the process",
    documented: "`heap_size_limit` of `v8.getHeapStatistics()`",
    sometimes: true,
  },
];
