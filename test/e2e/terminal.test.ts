/** What somebody sees and can do who sits at the terminal. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { cliFile } from "../support/project.js";
import { noTerminal, PseudoTerminal } from "../support/pseudo-terminal.js";
import { TempApp } from "../support/temp-app.js";

const ESC = "\x1b";
const EVIL = `ev${ESC}[31mil.js`;
const files = {
  "package.json": '{ "type": "module" }',
  "main.js": `import { createServer } from "node:http";
import "./${EVIL}";
createServer((request, response) => {
  console.log("asked for", request.url);
  response.end();
}).listen(0);
`,
  [EVIL]: "export {};",
  "bin/xdg-open": `#!${process.execPath}\nrequire("node:http").get(new URL("/opened?" + process.argv[2], process.argv[2]));`,
  "bin/package.json": "{}",
  // A package that fails, far from own code.
  "node_modules/fails/index.js": "exports.run = () => { throw new TypeError('no', { cause: new Error('why') }); };",
  "node_modules/fails/package.json": "{}",
};

test("a banner, keys, a clock, colours, and nothing of foreign text that the terminal obeys", {
  skip: noTerminal,
}, async () => {
  await using app = new TempApp(files);
  chmodSync(app.path("bin/xdg-open"), 0o755);
  const env = { PATH: `${app.path("bin")}${path.delimiter}${process.env.PATH}`, DISPLAY: ":0" };
  await using terminal = new PseudoTerminal([process.execPath, cliFile, "--no-launcher", "--clear", "main.js"], {
    cwd: app.folder,
    env,
  });
  /** What has come up to there, without its colours. */
  const seen = async (pattern: RegExp) => {
    await terminal.wait(pattern);
    return stripVTControlCharacters(terminal.output);
  };
  const shown = await seen(/press h/);
  assert.match(shown, /^\d\d:\d\d:\d\d unreloader: listening on http:\/\/localhost:\d+ \(2 modules in \d+ ms\)\r$/m);
  assert.match(shown, /^ {2}version {9}\d+\.\d+\.\d+, Node \d+/m);
  assert.match(shown, /^ {2}entry {11}main\.js\r$/m);

  terminal.type("h");
  assert.match(await seen(/as Ctrl-C does/), /^ {2}o {15}open the panel in a browser\r$/m);
  // Neither arrows nor what is pasted is a key: it does not end here.
  terminal.type(`${ESC}[A${ESC}[Bw${ESC}[200~quit${ESC}[201~r`);
  await terminal.wait(/nothing has been reloaded yet/);
  await terminal.wait(/nothing has changed .*generation 1/);
  terminal.type("o");
  const opened = await seen(/opening .*__unreloader/);
  const [, url] = /opening (\S+)/.exec(opened) ?? [];
  assert.equal(await terminal.wait(/asked for \S+/), `asked for /opened?${url}`);

  app.write(EVIL, "export const a = 1;");
  assert.match(await seen(/reloaded.*changed/), /unreloader: reloaded 1 of 2 modules.*: ev\\x1b\[31mil\.js changed/);
  assert.ok(terminal.output.includes(`${ESC}[H${ESC}[J`));
  assert.ok(terminal.output.includes(`${ESC}[32mreloaded 1 of`));

  app.write(EVIL, 'import fails from "fails";\nfails.run();');
  const failed = await seen(/2 \|.*run\(\);/);
  assert.match(failed, /reload failed \(generation 2 kept\): ev\\x1b\[31mil\.js:2:7 no\r\n/);
  assert.match(failed, /^ {2}through {9}1 call in fails\r$/m);
  assert.match(failed, /^ {2}caused by {7}Error: why \(ev\\x1b\[31mil\.js:2:7\)\r$/m);
  const before = terminal.output.length;
  terminal.type("cq");
  assert.equal(await terminal.exit(), 0);
  assert.ok(terminal.output.slice(before).includes(`${ESC}[H${ESC}[J`));
});

test("colours are as NO_COLOR says", { skip: noTerminal }, async () => {
  await using app = new TempApp({ "main.js": "throw new Error('no');" });
  await using terminal = new PseudoTerminal([process.execPath, cliFile, "--no-launcher", "--port", "0", "main.js"], {
    cwd: app.folder,
    env: { NO_COLOR: "1" },
  });
  const shown = await terminal.wait(/start failed.* no\r\n/);
  assert.equal(shown, stripVTControlCharacters(shown));
  assert.match(terminal.output, /^\d\d:\d\d:\d\d unreloader: listening/m);
  terminal.type("\x03");
  await terminal.exit();
});

test("a Node that is too old is told so, by a line", () => {
  const versions = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.1' } });";
  const { status, stderr } = spawnSync(process.execPath, ["-e", `${versions} import(${JSON.stringify(cliFile)})`], {
    encoding: "utf8",
  });
  assert.match(stderr, /^unreloader: Node\.js 18\.20\.1 is too old: 20\.19 or newer is needed .*\n$/);
  assert.equal(status, 1);
});
