/** Modules that a reload keeps, and that a request has given what the reload ends: a socket, a database, a thread. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Each module asks for the socket when its first request comes, and keeps it in another place. */
const HOLDERS = {
  variable: `let held; export const socket = () => (held ??= open());`,
  map: `const held = new Map(); export const socket = () => held.get(1) ?? held.set(1, open()).get(1);`,
  closure: `function keep() { let held; return () => (held ??= open()); } export const socket = keep();`,
  field: `class Keeper { #held; get() { return (this.#held ??= open()); } }
const keeper = new Keeper(); export const socket = () => keeper.get();`,
  promise: `let held; export const socket = () => (held ??= Promise.resolve(open()));`,
  accessor: `const keep = (one) => Object.defineProperty({}, "it", { get: () => one });
const all = []; export const socket = () => { if (all.length === 0) all.push(keep(open())); return all[0].it; };`,
};

const socketFile = `import { createSocket } from "node:dgram";
let socket;
export const open = () => (socket ??= createSocket("udp4").bind(0, "127.0.0.1"));
`;

const send = `const send = (socket) => new Promise((resolve) => socket.send("x", 9, "127.0.0.1", (error) => resolve(error?.code ?? "sent")));`;

/** Each fills a variable from thing.js when its first request comes. */
const MEMOS = {
  made: `import { make } from "./thing.js"; let it; export const text = () => (it ??= make()).text();`,
  instance: `import { Thing } from "./thing.js"; let it = null;
export function text() { if (!it) { const made = new Thing(); it = made; } return it.text(); }`,
  value: `import { word } from "./thing.js"; let it; export const text = () => it || (it = word);`,
  early: `import * as thing from "./thing.js"; let it;
const load = async () => thing.word;
export async function text() { if (it !== undefined) return it; it = await load(); return it; }`,
  imported: `let it; export const text = async () => (it ??= (await import("./thing.js")).default).text();`,
  behind: `import { helper } from "./helper.js"; let it; export const text = () => (it ??= helper()).text();`,
};

describe("what a kept module holds", () => {
  test("in a variable that a request has filled from a changed module is filled again", async () => {
    const names = Object.keys(MEMOS);
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "thing.js": `export const word = "one";
export class Thing { text() { return word; } }
export const make = () => ({ text: () => word });
export default { text: () => word };
`,
      "helper.js": `import { make } from "./thing.js"; export const helper = () => make();\n`,
      ...Object.fromEntries(Object.entries(MEMOS).map(([name, text]) => [`${name}.js`, `${text}\n`])),
      // It takes from the same module, and keeps nothing of it.
      "counter.js": `import { word } from "./thing.js"; let count = 0; export const text = () => word + (count += 1);\n`,
      "main.js": `import { createServer } from "node:http";
import { text } from "./counter.js";
${names.map((name) => `import * as ${name} from "./${name}.js";`).join("\n")}
const modules = { ${names.join()} };
createServer(async (_, response) => {
  const texts = Object.values(modules).map(({ text }) => text());
  response.end((await Promise.all(texts)).join() + " " + text());
}).listen(process.env.PORT, "127.0.0.1");
`,
    });
    await using served = await serve(app, "main.js");
    const expected = (word: string, count: number) =>
      `${names.map(() => word).join()} ${word}${served.inPlace ? count : 1}`;
    assert.equal(await served.text("/"), expected("one", 1));
    app.edit("thing.js", `word = "one"`, `word = "two"`);
    assert.equal(await served.text("/"), expected("two", 2));
    app.edit("thing.js", `word = "two"`, `word = "three"`);
    assert.equal(await served.text("/"), expected("three", 3));
  });

  test("that a reload ends is asked for again: the module is evaluated with the one that made it", async () => {
    const names = Object.keys(HOLDERS);
    const holders = Object.entries(HOLDERS).map(([name, text]) => [
      `${name}.js`,
      `import { open } from "./socket.js";\n${text}\n`,
    ]);
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "socket.js": socketFile,
      ...Object.fromEntries(holders),
      "counter.js": `let count = 0; export const next = () => ++count;\n`,
      "main.js": `import { createServer } from "node:http";
import { open } from "./socket.js";
import { next } from "./counter.js";
${names.map((name) => `import * as ${name} from "./${name}.js";`).join("\n")}
open();
${send}
const modules = { ${names.join()} };
createServer(async ({ url }, response) => {
  const name = url.slice(1);
  response.end(String(name === "count" ? next() : await send(await modules[name].socket())));
}).listen(process.env.PORT, "127.0.0.1");
`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/count"), "1");
    for (const name of names) {
      assert.equal(await served.text(`/${name}`), "sent");
      app.append("socket.js", `// edited for ${name}\n`);
      assert.equal(await served.text(`/${name}`), "sent", name);
    }
    assert.equal(await served.text("/count"), served.inPlace ? "2" : "1");
  });

  test("and that stands in a global of nobody's takes a fresh worker", async () => {
    await using app = new TempApp({
      "package.json": `{ "type": "module" }`,
      "socket.js": socketFile,
      "main.js": `import { createServer } from "node:http";
import { open } from "./socket.js";
open();
${send}
createServer(async (_, response) => {
  response.end(await send((globalThis.heldSocket ??= open())));
}).listen(process.env.PORT, "127.0.0.1");
`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "sent");
    app.append("socket.js", "// edited\n");
    assert.equal(await served.text("/"), "sent");
    if (served.inPlace) await served.lines.wait(/the global heldSocket holds what main\.js has opened/);
  });
});
