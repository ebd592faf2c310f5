/** Source maps lead from the assembled code back to what the user wrote. */
import assert from "node:assert/strict";
import { SourceMap } from "node:module";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Compiler } from "../../src/common/compile/compiler.js";
import { originalPlace } from "../../src/common/compile/original-place.js";
import { TraceMap } from "../../src/common/compile/trace-map.js";
import { randomSource } from "../support/random.js";
import { TempApp } from "../support/temp-app.js";

/** Offsets of every `$name` word in a text, with line and column (0-based). */
function words(text: string): { word: string; line: number; column: number }[] {
  return text
    .split(/\r?\n/)
    .flatMap((content, line) =>
      [...content.matchAll(/\$\w+/g)].map((match) => ({ word: match[0], line, column: match.index })),
    );
}

interface Options {
  readonly file: string;
  readonly text: string;
  readonly compilerOptions?: object;
}

/** Every word of the source is the origin of the same word in the body; gives how many there are. */
async function checkWords({ file, text, compilerOptions = {} }: Options): Promise<number> {
  await using app = new TempApp({
    "package.json": "{}",
    "tsconfig.json": JSON.stringify({ compilerOptions }),
    [file]: text,
  });
  const compiler = new Compiler({ root: app.folder });
  const compiled = compiler.compile(app.path(file));
  const map = compiler.sourceMap(compiled);
  assert.deepEqual(map.sources, [pathToFileURL(app.path(file)).href]);
  assert.deepEqual(map.sourcesContent, [text]);
  const lookup = new SourceMap({ file: "", sourceRoot: "", ...map } as ConstructorParameters<typeof SourceMap>[0]);
  const origins = new Set<string>();
  for (const { word, line, column } of words(compiled.body)) {
    const entry = lookup.findEntry(line, column);
    if ("originalLine" in entry) origins.add(`${word} ${entry.originalLine}:${entry.originalColumn}`);
  }
  const source = words(text.replace(/^\uFEFF/, "")).map(({ word, line, column }) => `${word} ${line}:${column}`);
  assert.deepEqual(
    source.filter((place) => !origins.has(place)),
    [],
  );
  return source.length;
}

test("JavaScript: columns after a rewritten read are exact", async () => {
  const text = `#!/usr/bin/env node\r\nimport { x, y } from "node:fs"; const $a = x, $b = [y(1), x, $a];\r\nexport default [$b, y\`\`, ($a)];\r\nexport const $c = { x, $a, y };`;
  assert.equal(await checkWords({ file: "a.mjs", text }), 7);
});

const CLASSES = `const { $x } = {}, $y = 1; class $A { #p = $x; static $s = $y; static #q; $m() { return $x; } } class $B extends $A { static { this.$t = class { $u = $y }; } } const $c = class{}, $d = [class { constructor($v) { super.$w($v); } }, $x]; function $f() { return class extends $f() { $m($e) { return class $g {}, $e; } }; } $y;`;

for (const extension of ["cjs", "mjs", "cts", "mts", "tsx"]) {
  test(`columns behind the beginning of a class are exact (${extension})`, async () => {
    assert.ok((await checkWords({ file: `a.${extension}`, text: `${CLASSES}\nclass $Z {} $x\r\n$y(class {})` })) > 20);
  });
}

test("TypeScript: types, enums, decorators and JSX before a word do not mislead", async () => {
  const text = `\uFEFFimport { readFileSync as read } from "node:fs";
interface Long { a: string; b: number } type Id = "a" | "b";
enum E { A, B }
const d = (..._: unknown[]): any => {}; const $h = (..._: unknown[]) => null;
@d export class $C<T> { @d $field: Long = read as never; constructor(private $p: E, $q = read) { ($q as any)($p, this.$field); }
  @d $i: Id = $h() as any; @d $rest(...$u: Id[]): Id { return $u[0]!; } @d get $g() { return $h(); } set $g($k: Id) {}
  @d $method($r: Long, @d $s: number): Long { return $r satisfies Long; } }
export const $v = <$h x={E.A} y={read} />, $w = <T,>($t: T): T => $t;
`;
  const compilerOptions = { experimentalDecorators: true, emitDecoratorMetadata: true, jsx: "react", jsxFactory: "$h" };
  assert.ok((await checkWords({ file: "a.tsx", text, compilerOptions })) > 15);
});

test("CommonJS TypeScript: what is put before the first line counts", async () => {
  const text = `const d: any = () => {}, $a: number = 1; @d class $B { @d $c = $a; }\nexports.$b = $B;`;
  const options = { experimentalDecorators: true, strict: true };
  assert.ok((await checkWords({ file: "a.cts", text, compilerOptions: options })) >= 5);
});

test("standard decorators go through two transformers and still map", async () => {
  const text = `function d(..._: unknown[]): any {}\ninterface X {}\n@d class $A { @d $m(): void {} }\nexport const $b: unknown = $A;`;
  assert.ok((await checkWords({ file: "a.ts", text })) >= 3);
});

test("random JavaScript: every word leads back", async () => {
  const random = randomSource("source maps of JavaScript");
  const pieces = [
    "let $a = 1;",
    "class K { $m() {} }",
    "const $e = class{ #p = $a2; static $s = read($a2) };",
    "[class { $x }, class extends Array { static { $a2 } }];",
    "/* é */",
    "\n",
    "read($a2);",
    "{ class $A {} class $B extends $A {} }",
  ];
  for (let round = 0; round < 20; round++) {
    const parts = Array.from({ length: random.int(3, 12) }, (_, index) =>
      random.pick(pieces).replace(/\$[ae]\b|\bK\b/g, (name) => `${name}_${index}`),
    );
    const imported = `import { readFileSync as read } from "node:fs"; const $a2 = 1;`;
    await checkWords({ file: "a.mjs", text: `${imported} ${parts.join(" ")}` });
    await checkWords({ file: "a.cjs", text: `const read = () => 0, $a2 = 1; ${parts.join(" ")}` });
  }
});

test("random TypeScript: every word leads back", async () => {
  const random = randomSource("source maps");
  const pieces = [
    "let $a: number = 1;",
    "type T = string;",
    "const f = <T,>($x: T): T => $x as any;",
    "enum E { A }",
    "/* é */",
    "\n",
    "\n\n",
    "export const $e = read($a!);",
    "interface I { x: 1 }",
    "{ const $a = [read, $a2 as unknown] }",
    "class K<T> { private $p?: T = read as never }",
    "const $e = class { #p = $a2; m<T>($x: T) { return class { static s = $x }; } };",
  ];
  for (let round = 0; round < 20; round++) {
    const parts = Array.from({ length: random.int(3, 12) }, (_, index) =>
      random.pick(pieces).replace(/\$[ae]\b|\b[EKTIf]\b/g, (name) => `${name}_${index}`),
    );
    const text = `import { readFileSync as read } from "node:fs"; const $a2 = 1;\n${parts.join(" ")}\nexport {}`;
    await checkWords({ file: "a.ts", text });
  }
});

test("a place ahead of the body, where imports are loaded, is the first of the source", async () => {
  await using app = new TempApp({
    "main.mjs": `import { x } from "node:fs"; x();\n`,
    "plain.mjs": `import "node:fs";\n`,
  });
  const compiler = new Compiler({ root: app.folder });
  for (const file of ["main.mjs", "plain.mjs"]) {
    const compiled = compiler.compile(app.path(file));
    const map = () => new TraceMap(compiler.sourceMap(compiled) as never);
    assert.deepEqual(originalPlace(compiled, { line: 1, column: -15 }, map), { line: 1, column: 1 });
  }
});
