/** `--scope function`: edits of bodies of functions are swapped in, and evaluate nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, randomSource } from "../support/random.js";
import { plainMode, serve } from "../support/served-app.js";
import { SwapModel } from "../support/swap-model.js";
import { TempApp } from "../support/temp-app.js";

const FLAGS = ["--scope", "function", "--why"];
const EDITS = 8;

// A process that is started again keeps no state.
test("answers after random edits of bodies are those of the new bodies, with the state kept", {
  skip: plainMode,
}, async () => {
  const model = new SwapModel(new Random(randomSource("function swaps").below(2 ** 31)), 14);
  const source = () => model.source((names) => `export const functions = { ${names.join(", ")} };`);
  await using app = new TempApp({
    "package.json": `{ "type": "module" }`,
    "main.js": `import http from "node:http";
import { functions } from "./functions.js";
http.createServer(async (req, res) => {
  const [, name, argument] = req.url.split("/");
  res.end(await functions[name](Number(argument)));
}).listen(process.env.PORT, "127.0.0.1");
`,
    "functions.js": source(),
  });
  await using served = await serve(app, "main.js", { flags: FLAGS });
  for (let edit = 0; edit <= EDITS; edit++) {
    for (let k = 0; k < 10; k++) {
      const { name, argument, expected } = model.call();
      assert.equal(await served.text(`/${name}/${argument}`), expected, `${source()}\n${served.lines}`);
    }
    if (edit === EDITS) break;
    model.edit();
    app.write("functions.js", source());
  }
  const told = served.lines.all.filter((line) =>
    /swapped \d+ functions? of functions\.js in \d+ ms \(generation \d+\)/.test(line),
  );
  assert.equal(told.length, EDITS, String(served.lines));
});

const page = (more = "") => `import { log } from "./log.js";
interface Given { readonly n: number }
let count = 0;
const title = ((): string => made("title"))();
function made(text: string): string { return "<" + text + ">"; }
class Store {
  readonly #items: string[] = [];
  add(item: string): number { this.#items.push(item); return size(this.#items); }
}
const store = new Store();
const size = (items: readonly string[]): number => items.length;
const waits: (() => void)[] = [];
export async function handle(path: string, { n }: Given): Promise<string> {
  count += n;
  if (path === "/wait") await new Promise<void>((resolve) => waits.push(resolve));
  if (path === "/go") for (const go of waits.splice(0)) go();
  if (path === "/throw") return failed(() => { throw new Error("boom"); });
  ${more}
  return [title, count, store.add(path), log.length].join(" ");
}
function failed(run: () => never): string {
  try { return run(); } catch (error) { return (error as Error).stack ?? ""; }
}
`;

test("what is evaluated, what is kept, and what is told", { skip: plainMode }, async () => {
  await using app = new TempApp({
    "package.json": `{ "type": "module" }`,
    "main.ts": `import http from "node:http";
import { handle } from "./page.js";
http.createServer(async (req, res) => res.end(await handle(req.url ?? "", { n: 1 }))).listen(Number(process.env.PORT), "127.0.0.1");
`,
    "log.ts": "export const log: string[] = [];\n",
    "page.ts": page(),
  });
  await using served = await serve(app, "main.ts", { flags: FLAGS });
  const last = () => served.lines.all.filter((line) => /swapped|reloaded/.test(line)).at(-1) ?? "";
  assert.equal(await served.text("/"), "<title> 1 1 0");
  app.write("page.ts", page("log.push(path);"));
  assert.equal(await served.text("/"), "<title> 2 2 1");
  assert.match(last(), /swapped 1 function of page\.ts in \d+ ms \(generation 2\)/);
  assert.ok(
    served.lines.all.some((line) => line === "  page.ts: handle"),
    String(served.lines),
  );
  // It is an error as before, and touches nothing.
  app.write("page.ts", page("log.push(path;"));
  assert.match((await served.get("/")).body.toString(), /page\.ts:18/);
  app.write("page.ts", page("log.push(path, path);"));
  assert.equal(await served.text("/"), "<title> 3 3 3");
  // A request in flight ends as it has begun; what begins after the save runs the new body.
  let isOver = false;
  const waiting = served.getOnce("/wait").finally(() => {
    isOver = true;
  });
  app.write("page.ts", page('if (path === "/new") return "new";'));
  assert.equal(await served.text("/new"), "new");
  while (!isOver) await served.text("/go");
  assert.equal((await waiting).body.toString().split(" ").at(0), "<title>");
  // In the lines of the file as it is now.
  app.write("page.ts", page("\n\n").replace('"boom"', '\n"bang" + n'));
  const stack = (await served.text("/throw")).split("\n");
  assert.match(stack[0] ?? "", /bang1/);
  assert.match(stack[1] ?? "", /page\.ts:17:\d+\)?$/);
  // The start has called it.
  const before = page("\n\n").replace('"boom"', '\n"bang" + n');
  app.write("page.ts", before.replace('"<" + text', '"[" + text'));
  assert.match(await served.text("/"), /^\[title> 1 1 \d+$/);
  assert.match(last(), /reloaded/);
  // All is as after a start again.
  app.write("page.ts", before.replace('"<" + text', '"[" + text').replace("items.length", "items.length * 10"));
  assert.match(await served.text("/"), /^\[title> 2 20 /);
  assert.match(last(), /swapped 1 function of page\.ts/);
  app.write("page.ts", page().replace("let count = 0", "let count = 100"));
  assert.equal(await served.text("/"), "<title> 101 1 3");
});
