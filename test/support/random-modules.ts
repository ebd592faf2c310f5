/** Random ES modules that shadow, export, import and assign a handful of names, and log what they see. */
import type { Random } from "./random.js";

const NAMES = ["a", "b", "c", "d", "e"] as const;

/**
 * File name to text. `m0.mjs` is the entry. Each module logs to `globalThis.__log`, and each function asks
 * `globalThis.__fuel`, which throws when a program calls itself too often.
 */
export function randomModules(random: Random): Record<string, string> {
  const count = random.int(2, 4);
  const exportsOf = Array.from({ length: count }, () => NAMES.filter(() => random.chance(0.7)));
  const files: Record<string, string> = {};
  for (let index = 0; index < count; index++) {
    files[`m${index}.mjs`] = new ModuleWriter(random, index, exportsOf).text();
  }
  return files;
}

class ModuleWriter {
  readonly #random: Random;
  readonly #index: number;
  readonly #exportsOf: readonly (readonly string[])[];
  #labels = 0;

  constructor(random: Random, index: number, exportsOf: readonly (readonly string[])[]) {
    this.#random = random;
    this.#index = index;
    this.#exportsOf = exportsOf;
  }

  text(): string {
    const random = this.#random;
    const own = this.#exportsOf[this.#index] ?? [];
    const taken = new Set<string>();
    const lines: string[] = [];
    // Imports take names that this module does not declare itself.
    for (let target = 0; target < this.#exportsOf.length; target++) {
      if (target === this.#index || !random.chance(0.8)) continue;
      const from = JSON.stringify(`./m${target}.mjs`);
      const names = (this.#exportsOf[target] ?? []).flatMap((name) => {
        const local = random.pick(NAMES);
        if (own.includes(local) || taken.has(local) || !random.chance(0.7)) return [];
        taken.add(local);
        return [local === name ? name : `${name} as ${local}`];
      });
      const local = random.pick(NAMES);
      const namespace = !own.includes(local) && !taken.has(local) && random.chance(0.3) ? local : undefined;
      if (namespace !== undefined) {
        taken.add(namespace);
        lines.push(`import * as ${namespace} from ${from}${this.#end()}`);
      }
      lines.push(`import { ${names.join(", ")} } from ${from}${this.#end()}`);
      if (random.chance(0.2)) lines.push(`export * as star${target} from ${from}${this.#end()}`);
    }
    const passedOn = [...taken].filter(() => random.chance(0.2)).map((name) => `${name} as passed_${name}`);
    if (passedOn.length > 0) lines.push(`export { ${passedOn.join(", ")} }${this.#end()}`);
    const body = [...own.map((name) => this.#exported(name)), ...this.#statements(random.int(2, 5), 3)];
    if (random.chance(0.5)) body.push(this.#exportedDefault());
    const hoisted = lines.map((line) => ({ line, at: random.int(0, body.length) }));
    const mixed: string[] = [];
    for (let at = 0; at <= body.length; at++) {
      for (const { line, at: place } of hoisted) if (place === at) mixed.push(line);
      const line = body[at];
      if (line !== undefined) mixed.push(line);
    }
    return [`const log = (...values) => globalThis.__log(${this.#index}, ...values);`, ...mixed].join("\n");
  }

  #end(): string {
    return this.#random.chance(0.5) ? ";" : "";
  }

  #exported(name: string): string {
    const random = this.#random;
    switch (random.below(6)) {
      case 0:
        return `export let ${name} = ${random.below(100)}${this.#end()}`;
      case 1:
        return `export function ${name}(${this.#parameters()}) { globalThis.__fuel(); ${this.#statements(1, 2).join(" ")} return this === undefined ? ${random.below(100)} : "this"; }`;
      case 2:
        return `let ${name} = ${random.below(100)}; export { ${name} }`;
      case 3:
        return `export class ${name} { static v = ${random.below(100)}; static m() { return ${this.#value(2)}; } }`;
      case 4:
        return `export const { ${name} = ${random.below(100)} } = {}${this.#end()}`;
      default:
        return `export var ${name} = ${random.below(100)}${this.#end()}`;
    }
  }

  #exportedDefault(): string {
    return this.#random.pick([
      `export default ${this.#value(2)};`,
      "export default function () { return 1 }",
      "export default class { }",
      `export default (${this.#value(1)}, () => ${this.#value(1)})\n`,
    ]);
  }

  #statements(count: number, depth: number): string[] {
    return Array.from({ length: count }, () => this.#statement(depth));
  }

  #block(depth: number): string {
    return `{ ${this.#statements(this.#random.int(1, 3), depth - 1).join("\n")} }`;
  }

  /** Never the declaration of a name at the level where it stands: each is in a block or function of its own. */
  #statement(depth: number): string {
    const random = this.#random;
    const name = random.pick(NAMES);
    const attempt = (text: string): string => `try { ${text} } catch (error) { log(error.name) }`;
    if (depth <= 0) return attempt(`log(${this.#value(1)})`);
    switch (random.below(14)) {
      case 0:
        return attempt(`{ let ${name} = ${this.#value(1)}; ${this.#statement(depth - 1)} }`);
      case 1:
        return attempt(
          `{ ${this.#statement(depth - 1)}; const ${name} = ${random.below(9)}; ${this.#statement(depth - 1)} }`,
        );
      case 2:
        return attempt(`{ ${this.#statement(depth - 1)}\nfunction ${name}() { return "inner" } }`);
      case 3:
        return attempt(
          `log(((${this.#parameters()}) => { globalThis.__fuel(); ${this.#statement(depth - 1)} return ${this.#value(1)} })(${this.#value(1)}))`,
        );
      case 4:
        return attempt(
          `log((function ${name}(${this.#parameters()}) { globalThis.__fuel(); ${this.#statement(depth - 1)}; var ${random.pick(NAMES)} = 3; return ${this.#value(1)} })())`,
        );
      case 5:
        return attempt(`for (${random.pick(["let", "const"])} ${name} of [1, 2]) ${this.#block(depth)}`);
      case 6:
        return attempt(`${name} = ${this.#value(1)}`);
      case 7:
        return attempt(
          random.pick([
            `({ ${name} } = { ${name}: 1 })`,
            `[${name} = ${this.#value(1)}] = []`,
            `({ ${name} = 2 } = {})`,
            `${name}++`,
          ]),
        );
      case 8:
        return `try { throw ${this.#value(1)} } catch (${random.pick([name, `{ ${name} = 1 }`])}) ${this.#block(depth)}`;
      case 9:
        return attempt(
          `switch (${this.#value(1)}) { case 1: let ${name} = 1; default: ${this.#statement(depth - 1)} }`,
        );
      case 10:
        return `${name}${this.#labels++}: for (const i of [1, 2]) { ${this.#statement(depth - 1)}\ncontinue ${name}${this.#labels - 1} }`;
      case 11:
        return attempt(
          `log(new (class ${random.chance(0.5) ? name : ""} { ${random.pick(NAMES)} = ${this.#value(1)}; [${this.#key()}]() { return ${this.#value(1)} } static { ${this.#statement(depth - 1)} } })())`,
        );
      case 12:
        return `if (${this.#guarded(name)}) ${random.chance(0.5) ? this.#block(depth) : attempt(this.#call())}\nelse ${attempt(`log(${this.#value(1)})`)}`;
      default:
        return attempt(`${this.#call()}\n${this.#call()}`);
    }
  }

  #parameters(): string {
    const random = this.#random;
    const first = random.pick(NAMES);
    const second = random.pick(NAMES.filter((name) => name !== first));
    return random.pick([
      "",
      first,
      `${first} = ${this.#value(1)}`,
      `{ ${first} = ${this.#value(1)} } = {}`,
      `${first}, ...${second}`,
    ]);
  }

  #key(): string {
    return `"k" + typeof ${this.#random.pick(NAMES)}`;
  }

  #guarded(name: string): string {
    return `(() => { try { return typeof ${name} === "number" } catch { return false } })()`;
  }

  #call(): string {
    const name = this.#random.pick(NAMES);
    return this.#random.pick([
      `${name}()`,
      `${name}?.()`,
      `new ${name}`,
      `${name}\`t\``,
      `${name}.m()`,
      `${name}?.m?.()`,
    ]);
  }

  #value(depth: number): string {
    const random = this.#random;
    const name = random.pick(NAMES);
    const deeper = (): string => (depth > 0 ? this.#value(depth - 1) : name);
    switch (random.below(10)) {
      case 0:
        return `typeof ${name}`;
      case 1:
        return `({ ${name}, x: ${deeper()}, ${random.pick(NAMES)}: 1 })`;
      case 2:
        return `[${deeper()}, ...[${name}]]`;
      case 3:
        return `\`\${typeof ${name}}\``;
      case 4:
        return `(${deeper()}, ${name})`;
      case 5:
        return `(${name} ?? ${deeper()})`;
      case 6:
        return `${name}?.${random.pick(NAMES)}`;
      case 7:
        return `((${name}) => ${deeper()})(${random.below(9)})`;
      case 8:
        return `${name}.v`;
      default:
        return name;
    }
  }
}
