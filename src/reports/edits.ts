/** The kinds of edits, and of other reasons for new code or a fresh worker: what happens, and why. docs/edits.md is made from it. */
/** From the smallest reach to the largest. */
export const OUTCOMES = [
  "nothing",
  "function swapped",
  "in place",
  "all own modules",
  "fresh worker",
  "failed",
] as const;

/** What was done about an edit, from the least to the most; `failed`: nothing. */
export type Outcome = (typeof OUTCOMES)[number];

interface EditKind {
  readonly outcome: Outcome;
  /** What was done, as a part of a sentence that begins with it. */
  readonly edit: string;
  /** What follows, and the reason for that. */
  readonly why: string;
}

/** Codes of one outcome stand together, and reach further from line to line: of several the highest is that of the whole. */
export const EDITS = {
  UR00: {
    outcome: "nothing",
    edit: "a save that leaves the text as it was, or that nobody has asked for",
    why: "no module is evaluated again: nothing would be different",
  },
  UR01: {
    outcome: "nothing",
    edit: "types only, and blank space in TypeScript",
    why: "it compiles to the code that runs already; places in stacks are those of the new text",
  },
  UR05: {
    outcome: "function swapped",
    edit: "bodies of functions and methods only (`--scope function`)",
    why: "the new bodies take the place of the old ones; nothing was made from these while modules were evaluated",
  },
  UR10: {
    outcome: "in place",
    edit: "a module that has not been evaluated yet",
    why: "the new text is taken in, and evaluated when somebody asks for it",
  },
  UR11: {
    outcome: "in place",
    edit: "a module that no other module used while being evaluated",
    why: "it alone is evaluated again; imports of it lead to the new version",
  },
  UR12: {
    outcome: "in place",
    edit: "a module that others used while they were evaluated",
    why: "these were made from it, so they are evaluated again after it",
  },
  UR13: {
    outcome: "in place",
    edit: "a module that writes into others, or into which others write, while it is evaluated",
    why: "all that write into the same module are evaluated again with it, so that nothing is there twice or in another order",
  },
  UR14: {
    outcome: "in place",
    edit: "a file that modules read while they were evaluated (a template, a translation)",
    why: "these modules were made from it, so they are evaluated again",
  },
  UR15: {
    outcome: "in place",
    edit: "a new file, or a symbolic link that leads elsewhere",
    why: "modules that looked for it or listed its folder, or whose specifiers lead to it now, are evaluated again",
  },
  UR16: {
    outcome: "in place",
    edit: "a deleted file",
    why: "the module is purged; who used the file, or listed its folder, is evaluated again",
  },
  UR17: {
    outcome: "in place",
    edit: "a module whose new version is accepted (`import.meta.hot`, `module.hot`)",
    why: "the change stops at the module that accepts it",
  },
  UR18: {
    outcome: "in place",
    edit: "a module that took back what it had accepted (`import.meta.hot.invalidate()`)",
    why: "who uses it is evaluated again",
  },
  UR19: {
    outcome: "in place",
    edit: "a file on which others depend because the app says so (`recordDependency`, `require`, `autoload`)",
    why: "these are evaluated again after it",
  },
  UR20: {
    outcome: "in place",
    edit: "a save after a reload that failed",
    why: "modules that have lost something by the failed reload are evaluated again with it",
  },
  UR21: {
    outcome: "in place",
    edit: "imports that are added, removed or moved, so that a start evaluates modules in another order",
    why: "those that write into the same module, or set or register the same thing, are evaluated again in the new order",
  },
  UR30: {
    outcome: "all own modules",
    edit: "any module, with `--scope app`",
    why: "that is what the option asks for",
  },
  UR31: {
    outcome: "all own modules",
    edit: "a module whose new version throws beside kept ones",
    why: "the kept ones may be the reason, so all are evaluated again",
  },
  UR32: {
    outcome: "all own modules",
    edit: "no edit, but `clear()`",
    why: "that is what was asked for",
  },
  UR50: {
    outcome: "fresh worker",
    edit: "a package: node_modules, package.json, a lockfile",
    why: "packages are loaded once in a thread",
  },
  UR51: {
    outcome: "fresh worker",
    edit: "tsconfig.json, or what it extends",
    why: "all modules may compile to something else",
  },
  UR52: {
    outcome: "fresh worker",
    edit: "a file of environment variables",
    why: "anything may have read the variables",
  },
  UR53: {
    outcome: "fresh worker",
    edit: "a native addon",
    why: "native code is loaded once in a thread",
  },
  UR54: {
    outcome: "fresh worker",
    edit: "a file that a package has read or loaded",
    why: "what the package has made from it stays as long as the package",
  },
  UR55: {
    outcome: "fresh worker",
    edit: "any module, with `--scope worker`",
    why: "that is what the option asks for",
  },
  UR56: {
    outcome: "fresh worker",
    edit: "a module that has declined to be replaced (`import.meta.hot.decline()`)",
    why: "the module has asked for it",
  },
  UR57: {
    outcome: "fresh worker",
    edit: "a module of an app that is the primary of a cluster",
    why: "a cluster is set up once in a thread",
  },
  UR58: {
    outcome: "fresh worker",
    edit: "a module of an app that went on after one of its modules had thrown",
    why: "what is missing of that module is unknown",
  },
  UR60: {
    outcome: "fresh worker",
    edit: "`restart()`, or the key `R`",
    why: "it was asked for",
  },
  UR61: {
    outcome: "fresh worker",
    edit: "a worker that has exited or crashed",
    why: "the app is started again",
  },
  UR62: {
    outcome: "fresh worker",
    edit: "a module whose new version throws in place, and not in a fresh worker",
    why: "only an error that a fresh start has too is the app's",
  },
  UR63: {
    outcome: "fresh worker",
    edit: "a save while the app's thread does not answer",
    why: "a thread that is stuck cannot take in new code",
  },
  UR64: {
    outcome: "fresh worker",
    edit: "old code that blocks the thread after a reload",
    why: "a restart would have ended it",
  },
  UR65: {
    outcome: "fresh worker",
    edit: 'a module of which a package keeps something: what it was given first, or what a statement has done that is gone or another one now (`dayjs.locale("fr")`, `axios.defaults.timeout = 5`); a package whose queue stands still because the purge has ended a timer of it; with `--strict-purge`, anything that it has registered',
    why: "only a fresh thread is rid of it; after what was given first the next edits of the module take one at once",
  },
  UR66: {
    outcome: "fresh worker",
    edit: "with `--strict-purge`: something keeps an old version alive",
    why: "only a fresh thread is rid of it",
  },
  UR67: {
    outcome: "fresh worker",
    edit: "an entry after whose evaluation in place a route is not found that answered before: its framework keeps the first application",
    why: "only a fresh thread begins it anew; the next edits that reach the entry take one at once",
  },
  UR69: {
    outcome: "fresh worker",
    edit: "the first start, or one after a start that failed",
    why: "nothing is loaded yet",
  },
  UR90: {
    outcome: "failed",
    edit: "a file that does not compile, or an import that leads nowhere",
    why: "nothing of the running app was touched",
  },
  UR91: {
    outcome: "failed",
    edit: "code that throws while it is evaluated, in a fresh worker, too",
    why: "the error is the app's",
  },
  UR92: {
    outcome: "failed",
    edit: "code whose evaluation does not come to an end",
    why: "it was given up after its deadline",
  },
  UR93: {
    outcome: "failed",
    edit: "no edit, but an app that has crashed again and again, or has ended",
    why: "it is started again later, or when a file is saved",
  },
} as const satisfies Readonly<Record<string, EditKind>>;

/** What kind of edit it was: docs/edits.md has them all. */
export type EditCode = keyof typeof EDITS;

export function outcomeOf(code: EditCode): Outcome {
  return EDITS[code].outcome;
}

/** That of a whole of which these are the parts. */
export function farthest(codes: Iterable<EditCode>): EditCode {
  let highest: EditCode = "UR00";
  for (const code of codes) if (code > highest) highest = code;
  return highest;
}

/** The row of the table, for people. */
export function editText(code: EditCode): string {
  const { edit, why } = EDITS[code];
  return `${edit}: ${why}`;
}
