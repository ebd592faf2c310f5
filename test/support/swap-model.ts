/**
 * Modules of functions of all kinds whose bodies change at random, and what each call gives when bodies are swapped: the newest
 * body, and the state that the module, its closures and its objects have had all along.
 */
import type { Random } from "./random.js";

/** `body` is what the user edits: `version`, and how it is written. The call gives `NAME VERSION TEXT`, TEXT from the state. */
interface Kind {
  /** Declares `NAME`, a function of one number that gives text, or a promise of it. */
  readonly source: (name: string, body: Body) => string;
  /** What the newest body gives for `a` at the call with this number, counted from 1 over all versions. */
  readonly text: (a: number, call: number) => string;
}

interface Body {
  readonly version: number;
  /** Statements that lead to `return VALUE`, from an expression. */
  readonly returns: (value: string) => string;
}

const RETURNS: readonly Body["returns"][] = [
  (value) => `return ${value};`,
  (value) => `const r = ${value}; /* a comment */ return r;`,
  (value) => `\n  try {\n    return ${value};\n  } finally { noop(); }`,
  // It mentions what nothing has mentioned before.
  (value) => `if (never.length > 0 || otherwise() === 1) throw new Error("never");\n  return ${value};`,
  (value) => `for (const one of [String(${value})]) { let s = one; { const s = 1; void s; } return s; }`,
  (value) => `let r = ""; switch (0) { case 0: r = ${value}; } return r;`,
];

/** The number of the call, counted by what the function has closed over. */
const counted = (name: string, body: Body) => body.returns(`"${name} v${body.version} " + a + " " + ++count`);

const KINDS: readonly Kind[] = [
  { source: (name, body) => `let count${name} = 0;\nfunction ${name}(a) { ${closed(name, body)} }`, text: count },
  {
    source: (name, body) => `let count${name} = 0;\nasync function ${name}(a) { await null; ${closed(name, body)} }`,
    text: count,
  },
  { source: (name, body) => `let count${name} = 0;\nconst ${name} = (a) => { ${closed(name, body)} };`, text: count },
  {
    source: (name, { version }) =>
      `let count${name} = 0;\nconst ${name} = a => ("${name} v${version} " + a + " " + ++count${name});`,
    text: count,
  },
  {
    source: (name, body) =>
      `const ${name} = (() => { let count = 0; return async (a) => { ${counted(name, body)} }; })();`,
    text: count,
  },
  {
    source: (name, body) =>
      `const ${name} = ((start) => { let count = start; return function inner(a, ...more) { ${counted(name, body)} }; })(0);`,
    text: count,
  },
  {
    source: (name, body) =>
      `let ${name}; { let count = 0; ${name} = ({ a } = {}) => { ${counted(name, body)} }; const f = ${name}; ${name} = (a) => f({ a }); }`,
    text: count,
  },
  {
    source: (name, body) =>
      `const ${name}s = [];\nfor (let i = 0; i < 2; i++) { let count = i; ${name}s.push((a) => { ${counted(name, body)} }); }\nconst ${name} = ${name}s[0];`,
    text: count,
  },
  {
    source: (name, body) =>
      `class C${name} {\n  count = 0;\n  m(a) { ${body.returns(`"${name} v${body.version} " + a + " " + ++this.count`)} }\n}\nconst o${name} = new C${name}();\nconst ${name} = (a) => o${name}.m(a);`,
    text: count,
  },
  {
    source: (name, body) =>
      `class C${name} {\n  static #count = 0;\n  static next() { return ++this.#count; }\n  static get value() { ${body.returns(`"${name} v${body.version} "`)} }\n}\nconst ${name} = (a) => C${name}.value + a + " " + C${name}.next();`,
    text: count,
  },
  {
    source: (name, body) =>
      `const o${name} = { count: 0, m(a) { 'use strict'; ${body.returns(`"${name} v${body.version} " + a + " " + ++this.count`)} } };\nconst ${name} = (a) => o${name}.m(a);`,
    text: count,
  },
  {
    source: (name, body) =>
      `let count${name} = 0;\nfunction* g${name}(a) { yield "${name} v${body.version} "; ${closedTo(name, body, '"a"')} }\nconst ${name} = (a) => [...g${name}(a)][0] + a + " " + ++count${name};`,
    text: count,
  },
  {
    source: (name, body) =>
      `let count${name} = 0;\nasync function* g${name}(a) { const part = await "${name} v${body.version} "; yield part; }\nconst ${name} = async (a) => (await g${name}(a).next()).value + a + " " + ++count${name};`,
    text: count,
  },
  {
    source: (name, body) =>
      `let count${name} = 0;\nconst ${name} = (a) => { const inner = [a].map((x) => x + 0); ${body.returns(`"${name} v${body.version} " + inner[0] + " " + ++count${name}`)} };`,
    text: count,
  },
];

function count(a: number, call: number): string {
  return `${a} ${call}`;
}

function closed(name: string, body: Body): string {
  return body.returns(`"${name} v${body.version} " + a + " " + ++count${name}`);
}

function closedTo(_name: string, body: Body, value: string): string {
  return body.returns(value);
}

interface Modelled {
  readonly name: string;
  readonly kind: Kind;
  version: number;
  returns: Body["returns"];
  calls: number;
}

export class SwapModel {
  readonly functions: Modelled[] = [];
  readonly #random: Random;

  constructor(random: Random, size: number) {
    this.#random = random;
    for (let k = 0; k < size; k++) {
      const kind = KINDS[(k + random.below(2)) % KINDS.length] as Kind;
      this.functions.push({ name: `f${k}`, kind, version: 0, returns: random.pick(RETURNS), calls: 0 });
    }
  }

  /** Edits some bodies; gives the names of their functions. */
  edit(): string[] {
    const edited = this.functions.filter(() => this.#random.chance(0.3));
    if (edited.length === 0) edited.push(this.#random.pick(this.functions));
    for (const one of edited) {
      one.version++;
      one.returns = this.#random.pick(RETURNS);
    }
    return edited.map(({ name }) => name);
  }

  /** The module's text; `exported`: how it gives its functions away. */
  source(exported: (names: readonly string[]) => string): string {
    const names = this.functions.map(({ name }) => name);
    const head = "const never = [];\nlet other = 0;\nfunction otherwise() { return other; }\nconst noop = () => {};\n";
    return `${head}${this.functions.map(({ name, kind, ...body }) => kind.source(name, body)).join("\n")}\n${exported(names)}\n`;
  }

  /** A call, and what it has to give. */
  call(): { name: string; argument: number; expected: string } {
    const one = this.#random.pick(this.functions);
    const argument = this.#random.below(10);
    return {
      name: one.name,
      argument,
      expected: `${one.name} v${one.version} ${one.kind.text(argument, ++one.calls)}`,
    };
  }
}
