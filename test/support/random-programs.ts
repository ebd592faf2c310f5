/** Random programs of a few modules: ES modules with cycles, CommonJS, or both; reads at top level and in functions. */
import type { Random } from "./random.js";

export interface RandomProgramOptions {
  readonly files: number;
  /** Share of CommonJS files, 0 to 1. */
  readonly commonJs: number;
  readonly cycles: boolean;
  readonly topLevelAwait: boolean;
}

export interface RandomProgram {
  /** File name to text; the entry is the first. */
  readonly files: Readonly<Record<string, string>>;
  readonly entry: string;
  /** Text of a file at another version: the same imports, other values. */
  rewrite(file: string, version: number): string;
}

/** Every module reports when it begins and ends, and what it reads; `read` of the entry reports late reads. */
export function randomProgram(random: Random, options: RandomProgramOptions): RandomProgram {
  const names = Array.from({ length: options.files }, (_, k) =>
    random.chance(options.commonJs) ? `m${k}.cjs` : `m${k}.mjs`,
  );
  if (options.commonJs < 1) names[0] = "m0.mjs";
  const texts = names.map((name, k) => moduleText(random, options, names, name, k));
  const files: Record<string, string> = {};
  for (const [k, name] of names.entries()) files[name] = texts[k]?.(0) ?? "";
  return {
    files,
    entry: names[0] ?? "",
    rewrite: (file, version) => texts[names.indexOf(file)]?.(version) ?? "",
  };
}

function moduleText(
  random: Random,
  options: RandomProgramOptions,
  names: readonly string[],
  name: string,
  k: number,
): (version: number) => string {
  const isEsm = name.endsWith(".mjs");
  const targets = new Set<string>();
  for (let n = random.below(4); n > 0; n--) {
    const target = options.cycles && random.chance(0.3) ? random.below(names.length) : k + 1 + random.below(4);
    const file = names[target];
    // Node refuses an ES module that is required while it is under way, and what CommonJS would get of it.
    if (!file || file === name || (!isEsm && file.endsWith(".mjs"))) continue;
    targets.add(file);
  }
  const imports = [...targets];
  const lines: string[] = [];
  const body: string[] = [];
  for (const [n, file] of imports.entries()) {
    if (!isEsm) {
      body.push(`const i${n} = require("./${file}"); r("${name} got", Object.keys(i${n}).length);`);
    } else if (file.endsWith(".cjs")) lines.push(`import i${n} from "./${file}";`);
    else if (random.chance(0.7))
      lines.push(
        `import { v as v${n}, f as f${n} } from "./${file}"; const i${n} = { get v() { return v${n}; }, f: () => f${n}() };`,
      );
    else lines.push(`import * as i${n} from "./${file}";`);
    if (random.chance(0.6)) body.push(`r("${name} reads", t(() => i${n}.v));`);
    if (random.chance(0.6)) body.push(`r("${name} calls", t(() => i${n}.f()));`);
    if (isEsm && random.chance(0.15)) lines.push(`export * as star${n} from "./${file}";`);
  }
  if (isEsm && options.topLevelAwait && random.chance(0.3)) {
    body.splice(random.below(body.length + 1), 0, "await 0;".repeat(1 + random.below(3)));
  }
  const late = imports.map((_, n) => `t(() => i${n}.v)`).join(", ");
  const seen = imports
    .flatMap((_, n) => (random.chance(0.5) ? [`t(() => i${n}.v)`, `t(() => i${n}.f())`] : []))
    .join(", ");
  return (version) => {
    const value = `"${name} ${version}"`;
    const prologue = `const r = globalThis.report, t = (f) => { try { return f(); } catch (e) { return e.name; } };`;
    const own = isEsm
      ? `export let v = ${value}; export function f() { return ${value}; } export const late = () => [${late}]; export const seen = [${seen}];`
      : `exports.v = ${value}; exports.f = () => ${value}; exports.late = () => [${late}]; exports.seen = [${seen}];`;
    return `${lines.join(" ")}\n${prologue} r("${name} begins");\n${body.join("\n")}\n${own}\nr("${name} ends");\n`;
  };
}
