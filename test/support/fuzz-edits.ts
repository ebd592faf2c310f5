/**
 * Edits of a fuzzed program as plain data, so that a list of them can be replayed and shortened: an edit that does not
 * fit the program any more changes nothing. Pure.
 */
import {
  type Dialect,
  entryLanguage,
  type How,
  type ModuleSpec,
  type Program,
  staticTargets,
  type Use,
} from "./fuzz-program.js";
import type { Random } from "./random.js";

export type Edit =
  | { readonly type: "value" | "body"; readonly module: string; readonly value: number }
  | { readonly type: "entry"; readonly value: number }
  | { readonly type: "template"; readonly text: string }
  | { readonly type: "fault"; readonly module: string; readonly fault: ModuleSpec["fault"] }
  | { readonly type: "use"; readonly module: string; readonly use: Use }
  | { readonly type: "unuse"; readonly module: string; readonly index: number }
  /** Two imports that stand beside each other change places. */
  | { readonly type: "swap"; readonly module: string; readonly index: number }
  | { readonly type: "swapRoots"; readonly index: number }
  | { readonly type: "extra" | "awaits" | "asFolder"; readonly module: string; readonly on: boolean }
  | { readonly type: "base" | "star"; readonly module: string; readonly target: string | null }
  | { readonly type: "root"; readonly module: string; readonly on: boolean }
  | { readonly type: "add"; readonly spec: ModuleSpec; readonly user: string | null; readonly how: How }
  /** `careful`: what uses it stops using it; otherwise imports are left that lead nowhere. */
  | { readonly type: "delete"; readonly module: string; readonly careful: boolean }
  | { readonly type: "rename"; readonly module: string; readonly to: string }
  /** A version that was there before comes back, also of a file that has been deleted. */
  | { readonly type: "restore"; readonly spec: ModuleSpec }
  /** The file is written again with the same text. */
  | { readonly type: "touch"; readonly module: string };

/** The program after the edit; the same object when the edit does not fit, or when load order would matter. */
export function applyEdit(program: Program, edit: Edit): Program {
  const next = change(program, edit);
  return next === program || (loadsInAnyOrder(next) && !passesOnComputedNames(next)) ? next : program;
}

function change(program: Program, edit: Edit): Program {
  switch (edit.type) {
    case "entry":
      return { ...program, entryValue: edit.value };
    case "template":
      return { ...program, template: edit.text };
    case "add":
      return addModule(program, edit);
    case "swapRoots":
      return { ...program, roots: swapped(program.roots, edit.index) };
    case "touch":
      return program;
    case "restore":
      return program.modules.get(edit.spec.name) === edit.spec ? program : withModule(program, edit.spec);
  }
  const module = program.modules.get(edit.module);
  if (module === undefined) return program;
  switch (edit.type) {
    case "value":
      return withModule(program, { ...module, value: edit.value });
    case "body":
      return withModule(program, { ...module, body: edit.value });
    case "fault":
      return module.fault === edit.fault ? program : withModule(program, { ...module, fault: edit.fault });
    case "use":
      if (!program.modules.has(edit.use.target) || edit.use.target === module.name) return program;
      if (module.uses.some((use) => use.target === edit.use.target && use.how === edit.use.how)) return program;
      return withModule(program, { ...module, uses: [...module.uses, edit.use] });
    case "unuse":
      if (edit.index >= module.uses.length) return program;
      return withModule(program, { ...module, uses: module.uses.filter((_, index) => index !== edit.index) });
    case "swap":
      return withModule(program, { ...module, uses: swapped(module.uses, edit.index) });
    case "extra":
    case "awaits":
      return module[edit.type] === edit.on ? program : withModule(program, { ...module, [edit.type]: edit.on });
    case "asFolder":
      if (module.language !== "cjs" || (module.folder === "plugins" && program.dialect === "mixed")) return program;
      return module.asFolder === edit.on ? program : withModule(program, { ...module, asFolder: edit.on });
    case "base":
    case "star":
      if (edit.target === module.name || (edit.target !== null && !program.modules.has(edit.target))) return program;
      return module[edit.type] === edit.target ? program : withModule(program, { ...module, [edit.type]: edit.target });
    case "root":
      if (program.roots.includes(module.name) === edit.on || module.folder === "plugins") return program;
      return {
        ...program,
        roots: edit.on ? [...program.roots, module.name] : program.roots.filter((root) => root !== module.name),
      };
    case "delete":
      return deleteModule(program, module, edit.careful);
    case "rename":
      return program.modules.has(edit.to) ? program : renameModule(program, module, edit.to);
  }
}

function swapped<Item>(list: readonly Item[], index: number): readonly Item[] {
  const [one, other] = list.slice(index);
  return one === undefined || other === undefined
    ? list
    : [...list.slice(0, index), other, one, ...list.slice(index + 2)];
}

function withModule(program: Program, module: ModuleSpec): Program {
  return { ...program, modules: new Map(program.modules).set(module.name, module) };
}

function addModule(program: Program, { spec, user, how }: Extract<Edit, { type: "add" }>): Program {
  if (program.modules.has(spec.name)) return program;
  const known = spec.uses.filter((use) => program.modules.has(use.target));
  const base = spec.base !== null && program.modules.has(spec.base) ? spec.base : null;
  const added = withModule(program, { ...spec, uses: known, base });
  const using = user === null ? undefined : added.modules.get(user);
  if (using !== undefined) return withModule(added, { ...using, uses: [...using.uses, { target: spec.name, how }] });
  return spec.folder === "plugins" ? added : { ...added, roots: [...added.roots, spec.name] };
}

function deleteModule(program: Program, module: ModuleSpec, careful: boolean): Program {
  const modules = new Map(program.modules);
  modules.delete(module.name);
  if (!careful) return { ...program, modules };
  for (const user of modules.values()) {
    const uses = user.uses.filter((use) => use.target !== module.name);
    const base = user.base === module.name ? null : user.base;
    const star = user.star === module.name ? null : user.star;
    if (uses.length !== user.uses.length || base !== user.base || star !== user.star)
      modules.set(user.name, { ...user, uses, base, star });
  }
  return { ...program, modules, roots: program.roots.filter((root) => root !== module.name) };
}

function renameModule(program: Program, module: ModuleSpec, to: string): Program {
  const named = (name: string) => (name === module.name ? to : name);
  const modules = new Map<string, ModuleSpec>();
  for (const each of program.modules.values()) {
    modules.set(named(each.name), {
      ...each,
      name: named(each.name),
      uses: each.uses.map((use) => ({ ...use, target: named(use.target) })),
      base: each.base === null ? null : named(each.base),
      star: each.star === null ? null : named(each.star),
    });
  }
  return { ...program, modules, roots: program.roots.map(named) };
}

/**
 * Walks the program as Node evaluates it. A read of a module that a cycle has not let finish yet gives an error or
 * undefined, depending on which module of the cycle was entered first; a reload of a part of the cycle rightly gives
 * another outcome than a fresh start. Such programs are not fuzzed.
 */
function loadsInAnyOrder(program: Program): boolean {
  const finished = new Set<string>();
  const entered = new Set<string>();
  const ready = (name: string) => finished.has(name) || !program.modules.has(name);
  const writes = [...program.modules.values()].some(({ uses }) => uses.some(({ how }) => how === "write"));
  const visit = (name: string): boolean => {
    const module = program.modules.get(name);
    if (module === undefined || entered.has(name)) return true;
    entered.add(name);
    for (const target of staticTargets(module)) if (!visit(target)) return false;
    const now = module.uses.filter(
      ({ how }) => how === "eager" || how === "call" || how === "extra" || how === "write" || how === "shared",
    );
    const needed = [...now.map((use) => use.target), ...[module.base, module.star].filter((target) => target !== null)];
    if (!needed.every(ready)) return false;
    for (const { target } of now.filter(({ how }) => how === "call")) {
      const called = program.modules.get(target);
      const later = called?.uses.filter(({ how }) => how === "late" || how === "keys") ?? [];
      if (!later.every((use) => ready(use.target))) return false;
    }
    // Siblings of a module that awaits go on meanwhile at a start, and wait for it in a reload: the order in which they write
    // into others is not the same then (docs/reload.md, limits).
    if (module.awaits && writes) return false;
    if (module.awaits && (program.dialect === "mixed" || module.language === "cjs" || inCycle(program, name)))
      return false;
    finished.add(name);
    return true;
  };
  const plugins = [...program.modules.values()].filter((module) => module.folder === "plugins").map(({ name }) => name);
  const late = [...program.modules.values()].flatMap((module) => module.uses.map((use) => use.target));
  if (![...program.roots, ...plugins.sort()].every(visit)) return false;
  // When a request loads what writes, it depends on the requests so far in which order that happens.
  const isLateWriter = ({ name, uses }: ModuleSpec) => !entered.has(name) && uses.some(({ how }) => how === "write");
  if ([...program.modules.values()].some(isLateWriter)) return false;
  return late.every(visit) && !requiresInCycle(program);
}

/** Whether a module can be reached from itself by static imports. */
function inCycle(program: Program, start: string): boolean {
  const seen = new Set<string>();
  const pending = [start];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const module = program.modules.get(name);
    for (const target of module ? staticTargets(module) : []) {
      if (target === start) return true;
      if (!seen.has(target)) pending.push(target);
      seen.add(target);
    }
  }
  return false;
}

/**
 * `export *` of CommonJS that has exports with computed names: Node, which guesses the names from the text, does not pass
 * these on; the product, which looks at the evaluated module, does.
 */
function passesOnComputedNames(program: Program): boolean {
  return [...program.modules.values()].some(({ language, star }) => {
    const passedOn = star === null ? undefined : program.modules.get(star);
    return language === "esm" && passedOn?.language === "cjs" && passedOn.star !== null;
  });
}

/** Cycles through both module systems: Node refuses some of them, by the order in which they are entered. */
function requiresInCycle(program: Program): boolean {
  if (program.dialect !== "mixed") return false;
  return [...program.modules.keys()].some((name) => inCycle(program, name));
}

const HOWS: readonly How[] = [
  "eager",
  "eager",
  "call",
  "extra",
  "write",
  "write",
  "shared",
  "late",
  "late",
  "keys",
  "lazy",
  "computed",
];

/** How many steps back a version may lie that comes back. */
const RESTORED_FROM = 20;

/** A program to start with: about ten modules, two or three of them roots. */
export function randomProgram(random: Random, dialect: Dialect, reads: boolean): Program {
  let program: Program = { dialect, reads, entryValue: 1, template: "template 1\n", modules: new Map(), roots: [] };
  for (let index = 0; index < 8 + random.below(5); index++) {
    const user = program.modules.size > 2 && random.chance(0.7) ? random.pick([...program.modules.keys()]) : null;
    program = applyEdit(program, {
      type: "add",
      spec: randomModule(random, program, `m${index}`),
      user,
      how: random.pick(HOWS),
    });
  }
  for (let count = 0; count < 20; count++) program = applyEdit(program, structuralEdit(random, program));
  for (let edit = mend(random, program, []); edit !== undefined; edit = mend(random, program, []))
    program = applyEdit(program, edit);
  return program;
}

function randomModule(random: Random, program: Program, name: string): ModuleSpec {
  const known = [...program.modules.keys()];
  const language = program.dialect === "mixed" ? random.pick(["cjs", "esm"] as const) : entryLanguage(program.dialect);
  const hierarchy = program.dialect === "classes" ? 0.7 : 0.2;
  return {
    name,
    folder: random.pick(program.reads ? (["", "", "lib", "plugins"] as const) : (["", "lib"] as const)),
    asFolder: false,
    language,
    value: random.below(1000),
    body: random.below(1000),
    uses: known.length === 0 ? [] : [{ target: random.pick(known), how: random.pick(HOWS) }],
    base: known.length > 0 && random.chance(hierarchy) ? random.pick(known) : null,
    star: null,
    extra: random.chance(0.5),
    awaits: false,
    fault: null,
  };
}

/** One or more edits that were saved together. Broken programs are mended soon. `before`: what the program has been. */
export function randomStep(random: Random, program: Program, before: readonly Program[]): Edit[] {
  const serial = before.length;
  const broken = [...program.modules.values()].filter((module) => module.fault !== null);
  const mended = random.chance(0.6) ? mend(random, program, broken) : undefined;
  if (mended !== undefined) return [mended];
  const count = random.chance(0.25) ? 2 + random.below(3) : 1;
  const edits: Edit[] = [];
  for (let tries = 0, at = program; edits.length < count && tries < 50; tries++) {
    const edit = restored(random, before) ?? randomEdit(random, at, serial * 10 + edits.length);
    const next = applyEdit(at, edit);
    if (next === at && edit.type !== "touch") continue;
    edits.push(edit);
    at = next;
  }
  return edits;
}

function restored(random: Random, before: readonly Program[]): Edit | undefined {
  if (before.length === 0 || !random.chance(0.06)) return undefined;
  const modules = [...random.pick(before.slice(-RESTORED_FROM)).modules.values()];
  return modules.length === 0 ? undefined : { type: "restore", spec: random.pick(modules) };
}

/** An edit that repairs something: a fault is taken out, or an import that leads nowhere. */
function mend(random: Random, program: Program, broken: readonly ModuleSpec[]): Edit | undefined {
  if (broken.length > 0) return { type: "fault", module: random.pick(broken).name, fault: null };
  for (const module of program.modules.values()) {
    const index = module.uses.findIndex((use) => !program.modules.has(use.target));
    if (index !== -1) return { type: "unuse", module: module.name, index };
    if (module.base !== null && !program.modules.has(module.base))
      return { type: "base", module: module.name, target: null };
    if (module.star !== null && !program.modules.has(module.star))
      return { type: "star", module: module.name, target: null };
    const missing = module.uses.findIndex((use) => use.how === "extra" && !program.modules.get(use.target)?.extra);
    if (missing !== -1) return { type: "unuse", module: module.name, index: missing };
  }
  const root = program.roots.find((name) => !program.modules.has(name));
  if (root === undefined) return undefined;
  return { type: "add", spec: { ...randomModule(random, program, root), folder: "" }, user: null, how: "late" };
}

function randomEdit(random: Random, program: Program, serial: number): Edit {
  const names = [...program.modules.keys()];
  if (names.length === 0 || random.chance(0.08))
    return {
      type: "add",
      spec: randomModule(random, program, `n${serial}`),
      user: pickOrNone(random, names),
      how: random.pick(HOWS),
    };
  const module = random.pick(names);
  const dice = random.below(100);
  if (dice < 35) return { type: random.pick(["value", "body"] as const), module, value: random.below(1000) };
  if (dice < 39) return { type: "entry", value: random.below(1000) };
  if (dice < 42 && program.reads) return { type: "template", text: `template ${random.below(1000)}\n` };
  if (dice < 48) return { type: "fault", module, fault: random.pick(["syntax", "throw"] as const) };
  if (dice < 52) return { type: "delete", module, careful: random.chance(0.7) };
  if (dice < 57) return { type: "rename", module, to: `r${serial}` };
  if (dice < 60) return { type: "touch", module };
  if (dice < 64) return { type: "swap", module, index: random.below(3) };
  if (dice < 68) return { type: "swapRoots", index: random.below(3) };
  return structuralEdit(random, program);
}

function structuralEdit(random: Random, program: Program): Edit {
  const names = [...program.modules.keys()];
  const module = random.pick(names);
  const target = random.pick(names);
  const dice = random.below(10);
  if (dice < 3) return { type: "use", module, use: { target, how: random.pick(HOWS) } };
  if (dice < 5) return { type: "unuse", module, index: random.below(3) };
  if (dice < 6) return { type: "base", module, target: random.chance(0.6) ? target : null };
  if (dice < 7) return { type: "star", module, target: random.chance(0.6) ? target : null };
  if (dice < 8) return { type: "root", module, on: random.chance(0.6) };
  return { type: random.pick(["extra", "awaits", "asFolder"] as const), module, on: random.chance(0.5) };
}

function pickOrNone(random: Random, names: readonly string[]): string | null {
  return names.length === 0 || random.chance(0.3) ? null : random.pick(names);
}
