/** Files read and folders listed while a module is evaluated count as its dependencies. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { renameSync, symlinkSync, truncateSync, utimesSync } from "node:fs";
import { describe, test } from "node:test";
import { eventually } from "../support/deadline.js";
import { historyPackage } from "../support/history-package.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const LARGE_BYTES = 20 * 2 ** 20;
const esmPackage = { "package.json": `{ "name": "app", "type": "module" }\n` };

/** Serves the `text` of page.js at every path, and at /evaluations how often page.js and the kept module were evaluated. */
const main = `import http from "node:http";
import history from "history";
import { kept } from "./kept.js";
import { text } from "./page.js";

http.createServer((req, res) => {
  if (req.url === "/evaluations") res.end(JSON.stringify({ page: history.all("page.js").length, kept }));
  else res.end(text());
}).listen(process.env.PORT, "127.0.0.1");
`;
const counted = `import history from "history";\nhistory.note("evaluated", "page.js");\n`;
const kept = `import history from "history";\nhistory.note("evaluated", "kept.js");\nexport const kept = history.all("kept.js").length;\n`;

function smallApp(page: string, more: Readonly<Record<string, string>> = {}): TempApp {
  return new TempApp({
    ...historyPackage,
    ...esmPackage,
    "main.js": main,
    "kept.js": kept,
    "page.js": counted + page,
    ...more,
  });
}

const readsTemplate = `import { readFileSync } from "node:fs";
const template = readFileSync(new URL("views/page.html", import.meta.url), "utf8");
export const text = () => template.trim();
`;
const listsPlugins = `import { readdirSync } from "node:fs";
const names = readdirSync(new URL("plugins/", import.meta.url)).sort();
export const text = () => names.join(" ");
`;

describe("files that are read while a module is evaluated", () => {
  for (const load of [`import "settings";`, `require("settings");`]) {
    test(`what a package read when ${load} loaded it takes a fresh worker, each time`, async () => {
      const isImport = load.startsWith("import");
      await using app = new TempApp({
        "package.json": JSON.stringify({ name: "app", type: isImport ? "module" : "commonjs" }),
        "node_modules/settings/package.json": `{ "name": "settings", "version": "1.0.0" }`,
        "node_modules/settings/index.js": `
const { existsSync, readdirSync, readFileSync } = require("node:fs");
globalThis.settings = readFileSync("settings.txt", "utf8") + existsSync("more.txt") + readdirSync("conf").length;
exports.read = (file) => readFileSync(file, "utf8");
`,
        "settings.txt": "one ",
        "late.txt": "late 1",
        "conf/a": "",
        "page.js": isImport
          ? `import { read } from "settings";\nexport const late = read("late.txt");\n`
          : `exports.late = require("settings").read("late.txt");\n`,
        "main.js": `${load}
${isImport ? `import http from "node:http";\nimport * as page from "./page.js";` : `const http = require("node:http");\nconst page = require("./page.js");`}
http.createServer((req, res) => res.end(globalThis.settings + page.late)).listen(process.env.PORT, "127.0.0.1");
`,
      });
      await using served = await serve(app, "main.js");
      assert.equal(await served.text("/"), "one false1late 1");
      app.write("settings.txt", "two ");
      assert.equal(await served.text("/"), "two false1late 1", String(served.lines));
      app.write("settings.txt", "three ");
      assert.equal(await served.text("/"), "three false1late 1", String(served.lines));
      app.write("more.txt", "");
      assert.equal(await served.text("/"), "three true1late 1", String(served.lines));
      app.write("conf/b", "");
      assert.equal(await served.text("/"), "three true2late 1", String(served.lines));
      const restarts = () => served.lines.all.filter((line) => line.includes("restarted")).length;
      if (served.inPlace) assert.equal(restarts(), 4, String(served.lines));
      // What a function of the package reads for a module is that module's.
      app.write("late.txt", "late 2");
      assert.equal(await served.text("/"), "three true2late 2", String(served.lines));
      if (served.inPlace) assert.equal(restarts(), 4, String(served.lines));
    });
  }

  test("an edited template is in the next answer, and only its reader is evaluated again", async () => {
    await using app = smallApp(readsTemplate, { "views/page.html": "<p>one</p>\n" });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "<p>one</p>");
    for (const word of ["two", "three", "four"]) {
      app.write("views/page.html", `<p>${word}</p>\n`);
      assert.equal(await served.text("/"), `<p>${word}</p>`);
    }
    app.writeAtomically("views/page.html", "<p>five</p>\n");
    assert.equal(await served.text("/"), "<p>five</p>");
    if (served.inPlace) assert.deepEqual(await served.json("/evaluations"), { page: 5, kept: 1 });
  });

  test("the first read of a module that CommonJS code requires later counts too", async () => {
    await using app = new TempApp({
      "main.js": `require("node:http").createServer((req, res) => res.end(require("./page.js"))).listen(process.env.PORT, "127.0.0.1");\n`,
      "page.js": `module.exports = require("node:fs").readFileSync(__dirname + "/page.txt", "utf8");\n`,
      "page.txt": "one",
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "one");
    app.write("page.txt", "two");
    assert.equal(await served.text("/"), "two");
    app.write("page.txt", "six");
    assert.equal(await served.text("/"), "six");
  });

  test("what is awaited at the top of a module counts", async () => {
    const page = `import { readFile } from "node:fs/promises";
const template = await readFile(new URL("page.txt", import.meta.url), "utf8");
export const text = () => template;
`;
    await using app = smallApp(page, { "page.txt": "one" });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "one");
    app.write("page.txt", "two");
    assert.equal(await served.text("/"), "two");
  });

  test("what functions of packages and modules go on to read by callbacks and promises counts, and is waited for", async () => {
    await using app = smallApp(
      `import { readFile } from "node:fs/promises";
import { readFile as read } from "node:fs";
import { registerPartials } from "partials";
const texts = [];
registerPartials("views", (text) => texts.push(text));
async function load() {
  for (const language of ["de", "en"]) texts.push(await readFile(language + ".txt", "utf8"));
}
void load();
read("name.txt", "utf8", (_, name) => read(name, "utf8", (_, text) => texts.push(text)));
export const text = () => texts.sort().join(" ");
`,
      {
        "node_modules/partials/package.json": `{ "name": "partials", "version": "1.0.0" }`,
        "node_modules/partials/index.js": `const fs = require("node:fs");
exports.registerPartials = (folder, found) =>
  fs.readdir(folder, (_, names) => {
    for (const name of names) fs.readFile(folder + "/" + name, "utf8", (_, text) => found(text));
  });
`,
        "views/a.txt": "a1",
        "de.txt": "de1",
        "en.txt": "en1",
        "name.txt": "named.txt",
        "named.txt": "n1",
      },
    );
    await using served = await serve(app, "main.js");
    // A start is over when it listens; these files are read a moment later.
    const whole = "a1 de1 en1 n1";
    await eventually(
      () => served.text("/"),
      (text) => text === whole,
      whole,
    );
    const edits: [string, string, string][] = [
      ["views/a.txt", "a2", "a2 de1 en1 n1"],
      ["en.txt", "en2", "a2 de1 en2 n1"],
      ["named.txt", "n2", "a2 de1 en2 n2"],
      ["views/b.txt", "b1", "a2 b1 de1 en2 n2"],
    ];
    for (const [file, text, expected] of edits) {
      app.write(file, text);
      if (served.inPlace) assert.equal(await served.text("/"), expected, file);
    }
    if (served.inPlace) assert.deepEqual(await served.json("/evaluations"), { page: 5, kept: 1 });
  });

  test("any way to read a file, look for one or resolve one counts, however late, and outside of the root", async () => {
    const files = [
      "buffer",
      "descriptor",
      "handle",
      "stream",
      "blob",
      "copied",
      "size",
      "timer",
      "loop",
      "exec",
      "sleep",
    ];
    await using app = new TempApp({
      "app/package.json": `{ "type": "module" }`,
      "app/main.js": `import { exec } from "node:child_process";
import fs, { statSync } from "node:fs";
import { open } from "node:fs/promises";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
process.chdir(import.meta.dirname);
const require = createRequire(import.meta.url);
const seen = {};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const read = (name) => { seen[name] = fs.readFileSync(name, "utf8"); };
const resolved = (name) => { try { return path.basename(require.resolve(name)); } catch { return "none"; } };
seen.buffer = fs.readFileSync(Buffer.from("buffer"), "utf8");
const descriptor = fs.openSync("descriptor");
const bytes = Buffer.alloc(20);
seen.descriptor = bytes.toString("utf8", 0, fs.readSync(descriptor, bytes));
fs.closeSync(descriptor);
const handle = await open("handle");
for await (const line of handle.readLines()) seen.handle = line;
seen.stream = await new Promise((resolve) => new fs.ReadStream("stream", "utf8").on("data", resolve));
seen.blob = await (await fs.openAsBlob("blob")).text();
fs.cpSync("copied", "copy");
seen.copied = fs.readFileSync("copy", "utf8");
seen.links = fs.readlinkSync("link") + path.basename(fs.realpathSync("link"));
seen.size = String(statSync("size").size);
seen.there = ["folder", "flag"].map((name) => fs.existsSync(name)).join();
seen.optional = resolved("./optional") + resolved("./folder");
seen.outside = fs.readFileSync("../outside", "utf8") + fs.existsSync("../more");
if (!fs.existsSync("made")) fs.mkdirSync("made/deep", { recursive: true });
// Those below are gone on with.
setTimeout(() => read("timer"), 30);
(async () => { for (const name of ["sleep", "loop"]) { await sleep(20); read(name); } })();
exec("sleep 0.1", () => read("exec"));
let turns = 0;
setInterval(() => { turns++; read("again"); }, 20);
http.createServer((req, res) => res.end(JSON.stringify({ ...seen, turns }))).listen(process.env.PORT, "127.0.0.1");
`,
      // Whether a path is a folder is all that this one asks.
      "app/walk.js": `import { readdirSync, statSync } from "node:fs";
export const all = readdirSync("app/public").filter((name) => statSync("app/public/" + name).isFile());
`,
      "app/public/page.txt": "1",
      "app/again": "again1",
      outside: "outside1",
      ...Object.fromEntries(files.map((file) => [`app/${file}`, `${file}1`])),
    });
    app.edit(
      "app/main.js",
      "const seen = {};",
      `const seen = {};\nprocess.chdir("..");\nawait import("./walk.js");\nprocess.chdir(import.meta.dirname);`,
    );
    const link = (target: string) => {
      symlinkSync(target, app.path("app/next"));
      renameSync(app.path("app/next"), app.path("app/link"));
    };
    link("size");
    await using served = await serve(app, "app/main.js");
    const whole = async (name: string, text: string) => {
      const seen = await eventually(
        () => served.json<Record<string, unknown> & { exec?: string; turns: number }>("/"),
        ({ exec, turns }) => exec !== undefined && turns > 3,
        "all is read",
      );
      assert.equal(seen[name], text, `${name}; output:\n${served.lines}`);
    };
    await whole("outside", "outside1false");
    for (const file of files) {
      app.write(`app/${file}`, `${file}22`);
      await whole(file, file === "size" ? "6" : `${file}22`);
    }
    link("blob");
    await whole("links", "blobblob");
    const edits: [string, string | undefined, string, string][] = [
      ["outside", "outside2", "outside", "outside2false"],
      ["more", "", "outside", "outside2true"],
      ["app/flag", "", "there", "false,true"],
      ["app/folder/index.json", "1", "optional", "noneindex.json"],
      ["app/folder/index.js", "", "optional", "noneindex.js"],
      ["app/optional.json", "1", "optional", "optional.jsonindex.js"],
      ["app/optional.js", "", "optional", "optional.jsindex.js"],
      ["app/optional.js", undefined, "optional", "optional.jsonindex.js"],
      ["app/flag", undefined, "there", "true,false"],
    ];
    for (const [file, text, name, expected] of edits) {
      if (text === undefined) app.remove(file);
      else app.write(file, text);
      await whole(name, expected);
    }
    if (!served.inPlace) return;
    const before = served.lines.all.length;
    app.write("app/public/page.txt", "22");
    app.write("app/again", "again2");
    await eventually(
      () => served.json<{ again: string }>("/"),
      ({ again }) => again === "again2",
      "the interval has read it",
    );
    assert.deepEqual(served.lines.all.slice(before), []);
    assert.ok(!served.lines.all.some((line) => line.includes("made")), String(served.lines));
  });

  test("a template that is gone fails the reload, and one that is back mends it", async () => {
    await using app = smallApp(readsTemplate, { "views/page.html": "one" });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "one");
    app.remove("views/page.html");
    const { status, body } = await served.get("/");
    assert.equal(status, 500);
    assert.match(body, /ENOENT/);
    app.write("views/page.html", "two");
    assert.equal(await served.text("/"), "two");
  });

  test("a file that existsSync did not find counts when it comes, and when it goes again", async () => {
    const page = `import { existsSync, statSync } from "node:fs";
const file = new URL("maintenance", import.meta.url);
const found = existsSync(file) && statSync(file).mtimeMs > 0;
export const text = () => found ? "closed" : "open";
`;
    await using app = smallApp(page);
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "open");
    app.write("maintenance", "");
    assert.equal(await served.text("/"), "closed");
    app.remove("maintenance");
    assert.equal(await served.text("/"), "open");
    // A large one is not read: its size and times say whether it is another.
    app.write("maintenance", "");
    truncateSync(app.path("maintenance"), LARGE_BYTES);
    assert.equal(await served.text("/"), "closed");
    const before = await served.json<{ page: number }>("/evaluations");
    assert.deepEqual(await served.json("/evaluations"), before);
    utimesSync(app.path("maintenance"), 1, 1);
    const { page: after } = await served.json<{ page: number }>("/evaluations");
    if (served.inPlace) assert.equal(after, before.page + 1);
  });

  test("a module that was looked for and not found counts when it comes, and when it goes again", async () => {
    // As apps look for modules that may be there: by a computed name, in a list, by `import()`, without extension, as a folder.
    await using app = new TempApp({
      "package.json": `{ "type": "commonjs" }`,
      "main.js": `
const tried = (load) => { try { return load(); } catch { return "none"; } };
const found = ["./one", "./two/"].map((name) => tried(() => require(name)));
const resolved = tried(() => require.resolve("./three" + ".js") && "three");
require("http").createServer(async (request, response) => {
  response.end([...found, resolved, await (await import("./late.mjs")).found].join());
}).listen(process.env.PORT, "127.0.0.1");`,
      "late.mjs": `
import { createRequire } from "node:module";
const importing = [import("./four.mjs"), import("./five" + ".mjs")].map((one) => one.then((four) => four.default, () => "none"));
let six = "none";
try { six = createRequire(import.meta.url)("./six.cjs"); } catch {}
export const found = Promise.all(importing).then((all) => [...all, six]);`,
    });
    await using served = await serve(app, "main.js");
    const none = "none,none,none,none,none,none";
    assert.equal(await served.text("/"), none);
    const files = {
      "one.json": `"one"`,
      "two/index.js": `module.exports = "two";`,
      "three.js": "",
      "four.mjs": `export default "four";`,
      "five.mjs": `export default "five";`,
      "six.cjs": `module.exports = "six";`,
    };
    let expected = none;
    for (const [file, text] of Object.entries(files)) {
      app.write(file, text);
      expected = expected.replace("none", file.replace(/[./].*/, ""));
      assert.equal(await served.text("/"), expected);
    }
    app.write("notes.txt", "");
    app.write("seven.js", "");
    for (const file of ["six.cjs", "one.json"]) app.remove(file);
    assert.equal(await served.text("/"), "none,two,three,four,five,none");
  });

  test("what comes through a pipe is the app's alone", { skip: process.platform === "win32" }, async () => {
    const page = `import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
const isThere = existsSync("pipe");
spawn("sh", ["-c", "echo one > pipe"]);
const read = readFileSync("pipe", "utf8").trim();
export const text = () => isThere + " " + read;
`;
    await using app = smallApp(page);
    execFileSync("mkfifo", [app.path("pipe")]);
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "true one");
    app.edit("page.js", "echo one", "echo two");
    assert.equal(await served.text("/"), "true two");
  });

  test("a file that is read only during requests reloads nothing", { skip: plainMode }, async () => {
    const page = `import { readFileSync } from "node:fs";
export const text = () => readFileSync(new URL("page.txt", import.meta.url), "utf8");
`;
    await using app = smallApp(page, { "page.txt": "one" });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "one");
    app.write("page.txt", "two");
    assert.equal(await served.text("/"), "two");
    assert.deepEqual(await served.json("/evaluations"), { page: 1, kept: 1 });
  });

  test("a file that the app itself writes reloads nothing", { skip: plainMode }, async () => {
    const page = `import { existsSync, readFileSync, writeFileSync } from "node:fs";
const file = new URL("visits.json", import.meta.url);
let visits = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : 0;
export const text = () => {
  writeFileSync(file, JSON.stringify(++visits));
  return String(visits);
};
`;
    await using app = smallApp(page, { "visits.json": "10" });
    await using served = await serve(app, "main.js");
    for (const visits of ["11", "12", "13", "14"]) assert.equal(await served.text("/"), visits);
    assert.deepEqual(await served.json("/evaluations"), { page: 1, kept: 1 });
  });

  test("what --ignore names reloads nothing", { skip: plainMode }, async () => {
    await using app = smallApp(readsTemplate, { "views/page.html": "one" });
    await using served = await serve(app, "main.js", { flags: ["--ignore", "views/**"] });
    app.write("views/page.html", "two");
    assert.equal(await served.text("/"), "one");
    assert.deepEqual(await served.json("/evaluations"), { page: 1, kept: 1 });
  });
});

describe("folders that are listed while a module is evaluated", () => {
  test("an added and a deleted file count, an edited one does not", async () => {
    await using app = smallApp(listsPlugins, { "plugins/a.txt": "a" });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "a.txt");
    app.write("plugins/b.txt", "b");
    assert.equal(await served.text("/"), "a.txt b.txt");
    app.remove("plugins/a.txt");
    assert.equal(await served.text("/"), "b.txt");
    if (!served.inPlace) return;
    app.write("plugins/b.txt", "B");
    assert.equal(await served.text("/"), "b.txt");
    assert.deepEqual(await served.json("/evaluations"), { page: 3, kept: 1 });
  });

  test("a recursive listing counts for all folders below, by every function that has one", async () => {
    await using app = smallApp(
      `import fs, { opendirSync, readdir, readdirSync } from "node:fs";
import * as promises from "node:fs/promises";
const recursive = { recursive: true };
const opened = (folder) => {
  const names = [];
  for (let entry; (entry = folder.readSync()); ) names.push(entry.name);
  folder.closeSync();
  return names;
};
const globbed = [];
if (promises.glob) for await (const name of promises.glob("six/**")) globbed.push(name);
const lists = [
  readdirSync("one", recursive),
  await new Promise((resolve) => readdir("two", recursive, (_, names) => resolve(names))),
  await promises.readdir("three", { ...recursive, withFileTypes: true }),
  opened(opendirSync("four", recursive)),
  fs.globSync ? fs.globSync("five/**").slice(1) : readdirSync("five", recursive),
  promises.glob ? globbed.slice(1) : readdirSync("six", recursive),
];
export const text = () => lists.map(({ length }) => length).join(" ");
`,
      Object.fromEntries(["one", "two", "three", "four", "five", "six"].map((folder) => [`${folder}/below/a.js`, ""])),
    );
    await using served = await serve(app, "main.js");
    const counts = [2, 2, 2, 2, 2, 2];
    assert.equal(await served.text("/"), counts.join(" "));
    for (const [index, folder] of ["one", "two", "three", "four", "five", "six"].entries()) {
      app.write(`${folder}/below/b.js`, "");
      counts[index] = 3;
      assert.equal(await served.text("/"), counts.join(" "), folder);
      app.write(`${folder}/below/deep/c.js`, "");
      counts[index] = 5;
      assert.equal(await served.text("/"), counts.join(" "), folder);
    }
  });

  test("a loader that requires all that it finds takes up new files", async () => {
    const page = `import { createRequire } from "node:module";
import { readdirSync } from "node:fs";
const require = createRequire(import.meta.url);
const names = readdirSync(new URL("plugins/", import.meta.url)).sort().map((file) => require("./plugins/" + file));
export const text = () => names.join(" ");
`;
    await using app = smallApp(page, { "plugins/a.cjs": `module.exports = "a";\n` });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "a");
    app.write("plugins/b.cjs", `module.exports = "b";\n`);
    assert.equal(await served.text("/"), "a b");
    app.write("plugins/a.cjs", `module.exports = "A";\n`);
    assert.equal(await served.text("/"), "A b");
    app.remove("plugins/b.cjs");
    assert.equal(await served.text("/"), "A");
  });

  test("a file that a request has read, and that is kept, is found out by the next request for the same, and followed then", async () => {
    const page = `import { readFileSync } from "node:fs";
import { render } from "engine";
const cache = new Map();
const read = (file) => readFileSync(new URL(file, import.meta.url), "utf8");
const cached = (file) => cache.get(file) ?? cache.set(file, read(file)).get(file);
export const text = () => [cached("a.txt"), render("b.txt"), read("c.txt")].join(" ");
`;
    await using app = smallApp(page, {
      "a.txt": "a1",
      "b.txt": "b1",
      "c.txt": "c1",
      "node_modules/engine/package.json": `{ "name": "engine", "version": "1.0.0" }`,
      "node_modules/engine/index.js": `const cache = {};
exports.render = (file) => (cache[file] ??= require("node:fs").readFileSync(file, "utf8"));
`,
    });
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "a1 b1 c1");
    app.write("a.txt", "a2");
    await eventually(
      () => served.text("/"),
      (text) => text === "a2 b1 c1",
      "the new text",
    );
    app.write("a.txt", "a3");
    assert.equal(await served.text("/"), "a3 b1 c1", String(served.lines));
    app.write("c.txt", "c2");
    assert.equal(await served.text("/"), "a3 b1 c2");
    if (!served.inPlace) return;
    const told = served.lines.matching(/a\.txt has changed, and a request was answered from what was read/);
    assert.equal(told.length, 1, String(served.lines));
    assert.deepEqual(served.lines.matching(/c\.txt/), []);
    // What a package keeps for itself is told at least.
    app.write("b.txt", "b2");
    await eventually(
      () => served.text("/"),
      () => served.lines.matching(/b\.txt has changed/).length > 0,
      "a line",
    );
  });
});
