/** Which modules are compared before and after: those whose text looks as if they patched what all share; and settings of Node's. */
import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import stream from "node:stream";
import { describe, test } from "node:test";
import { mayPatch } from "../../workers/ledger/builtins.js";
import { settingsOf } from "../../workers/ledger/settings.js";

const patching = [
  `Array.prototype.last = function () { return this[this.length - 1]; };`,
  `Object.defineProperty(String.prototype, "x", { value: 1 });`,
  `Object.defineProperties(Math, {});`,
  `const http = require("http"); http.request = wrapped;`,
  `import HTTP from "node:http"; HTTP["get"] = wrapped;`,
  `import fsp from "fs/promises"; import fs from 'fs'; fs.readFile = wrapped;`,
  `const Module = require("module"); Module._load = wrapped;`,
  `require("node:fs").promises.readFile = wrapped;`,
  `Promise.all ??= all;`,
  `console.log = () => {};`,
  `Date.now = () => 0;`,
  `process.exit = () => {};`,
  `Object.assign(Math, { twice });`,
  `delete Array.from;`,
  `EventEmitter.defaultMaxListeners = 20;`,
  `monkeyPatch();`,
];

const innocent = [
  `response.statusCode = 404; request.user = user;`,
  `const url = new URL(text); url.pathname = "/";`,
  `module.exports = { a }; module.exports.b = 1; exports.c = 2;`,
  `const { join } = require("module-of-others"); module.exports = join;`,
  `Object.defineProperty(exports, "__esModule", { value: true });`,
  `error.status = 400; map.size === 3; date.month = 1;`,
  `router.patch("/users/:id", change);`,
  `export class User { name = "a"; }`,
  `const http = require("http"); if (http.x == 1 || http.x === 2) list.map((http) => http.x);`,
  `process.env.PORT = "1";`,
];

describe("a module's text", () => {
  for (const text of patching) test(`may patch: ${text}`, () => assert.equal(mayPatch(text), true));
  for (const text of innocent) test(`patches nothing: ${text}`, () => assert.equal(mayPatch(text), false));
});

test("settings that have functions, or stand on the global agent, are put back as properties are", () => {
  const settings = (name: string, module: object) => settingsOf(name, module) ?? assert.fail(name);
  const cases: [object, string, unknown, () => unknown][] = [
    [settings("http", http), "maxSockets", 7, () => http.globalAgent.maxSockets],
    [settings("https", https), "maxFreeSockets", 7, () => https.globalAgent.maxFreeSockets],
    [settings("stream", stream), "defaultHighWaterMark", 7000, () => stream.getDefaultHighWaterMark(false)],
    [settings("stream", stream), "defaultObjectHighWaterMark", 7, () => stream.getDefaultHighWaterMark(true)],
    [settings("net", net), "defaultAutoSelectFamily", false, () => net.getDefaultAutoSelectFamily()],
  ];
  for (const [object, name, value, now] of cases) {
    const before = now();
    assert.equal(Object.getOwnPropertyDescriptor(object, name)?.value, before, name);
    Object.defineProperty(object, name, { value });
    assert.equal(now(), value, name);
    Object.defineProperty(object, name, { value: before });
    assert.equal(now(), before, name);
  }
});
