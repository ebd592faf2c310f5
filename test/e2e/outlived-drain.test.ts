/** A request that outlives the drain of a reload goes on with its own generation's modules while the new ones come up. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Gate } from "../support/gate.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const ask = (gate: string) => `await (await fetch("http://127.0.0.1:" + process.env.${gate} + "/")).text();`;

const MAIN = `import http from "node:http";
import { createRequire } from "node:module";
import { word } from "./word.mjs";
import * as all from "./word.mjs";
import { passedOn } from "./passing.mjs";
import { count } from "./word.mjs";
const require = createRequire(import.meta.url);
http.createServer(async (req, res) => {
  if (req.url === "/slow") ${ask("REQUEST")}
  const later = await import("./word.mjs");
  res.end([word, all.word, later.word, passedOn, count(), typeof all.removed, Object.keys(all).join("+")].join(" "));
}).listen(process.env.PORT, "127.0.0.1");
`;
const PASSING = `export { word as passedOn } from "./word.mjs";\n`;
const word = (n: number, before: string, after: string) => `${before}
let calls = 0;
export const word = "word${n}";
export const count = () => ++calls;
${after}
`;
const REMOVED = `export const removed = 1;`;

describe("while the new version of a module waits in a top-level await,", { skip: plainMode }, () => {
  test("a request that outlived the drain reads all of the old one", async () => {
    await using request = await Gate.make();
    await using evaluation = await Gate.make();
    await using app = new TempApp({
      "main.mjs": MAIN,
      "passing.mjs": PASSING,
      "word.mjs": word(1, "", REMOVED),
    });
    const env = { REQUEST: String(request.port), EVALUATION: String(evaluation.port) };
    await using served = await serve(app, "main.mjs", { env });
    assert.equal(await served.text("/"), "word1 word1 word1 word1 1 number count+removed+word");

    const outliving = served.getOnce("/slow");
    await request.arrival();
    app.write("word.mjs", word(2, ask("EVALUATION"), ""));
    const waiting = served.getOnce("/");
    await evaluation.arrival();
    request.open();
    const { status, body } = await outliving;
    assert.deepEqual([status, body], [200, "word1 word1 word1 word1 2 number count+word"]);
    evaluation.open();
    assert.equal((await waiting).body, "word2 word2 word2 word2 1 undefined count+word");
    assert.doesNotMatch(String(served.lines), /worker exited|reload failed/);
  });

  test("what the new version began reads the new one", async () => {
    await using request = await Gate.make();
    await using evaluation = await Gate.make();
    const state = (n: number) => `export const state = { n: ${n}, seen: undefined };\n`;
    const reader = (n: number, wait: string) => `import { state } from "./state.mjs";
await new Promise((resolve) => setTimeout(resolve));
state.seen = ${n};
setTimeout(() => { state.late = "timer saw " + state.n; });
${wait}
export const seen = () => state.n + " " + state.seen + " " + state.late;
`;
    await using app = new TempApp({
      "main.mjs": `import http from "node:http";
import { seen } from "./reader.mjs";
http.createServer(async (req, res) => {
  if (req.url === "/slow") ${ask("REQUEST")}
  res.end(seen());
}).listen(process.env.PORT, "127.0.0.1");
`,
      "state.mjs": state(1),
      "reader.mjs": reader(1, ""),
    });
    const env = { REQUEST: String(request.port), EVALUATION: String(evaluation.port) };
    await using served = await serve(app, "main.mjs", { env });
    assert.equal(await served.text("/"), "1 1 timer saw 1");
    const outliving = served.getOnce("/slow");
    await request.arrival();
    app.write("state.mjs", state(2));
    app.write("reader.mjs", reader(2, ask("EVALUATION")));
    const waiting = served.getOnce("/");
    await evaluation.arrival();
    request.open();
    assert.equal((await outliving).body, "1 1 timer saw 1");
    evaluation.open();
    assert.equal((await waiting).body, "2 2 timer saw 2");
  });

  test("and is given up, the old one goes on", async () => {
    await using request = await Gate.make();
    await using evaluation = await Gate.make();
    await using app = new TempApp({
      "main.mjs": MAIN,
      "passing.mjs": PASSING,
      "word.mjs": word(1, "", REMOVED),
    });
    const env = { REQUEST: String(request.port), EVALUATION: String(evaluation.port) };
    await using served = await serve(app, "main.mjs", { env });
    const outliving = served.getOnce("/slow");
    await request.arrival();
    app.write("word.mjs", word(2, ask("EVALUATION"), ""));
    await evaluation.arrival();
    // The save that mends supersedes what waits, with the request still under way.
    app.write("word.mjs", word(3, "", REMOVED));
    assert.equal((await served.getOnce("/")).body, "word3 word3 word3 word3 1 number count+removed+word");
    request.open();
    assert.equal((await outliving).body, "word3 word3 word3 word3 2 number count+removed+word", "it reads late");
  });
});

test("while a dispose hook is awaited, a request that outlived the drain requires the old version", {
  skip: plainMode,
}, async () => {
  await using request = await Gate.make();
  await using disposal = await Gate.make();
  const base = (n: number) => `const { unreloader } = require("unreloader/app");
unreloader.dispose(async () => { ${ask("DISPOSAL")} });
exports.n = ${n};
`;
  await using app = new TempApp(
    {
      "main.js": `require("node:http").createServer(async (req, res) => {
  if (req.url === "/slow") ${ask("REQUEST")}
  res.end(require("./middle").text());
}).listen(process.env.PORT, "127.0.0.1");
`,
      "middle.js": `const base = require("./base");
console.log("middle is evaluated");
exports.text = () => "base " + base.n;
`,
      "base.js": base(1),
    },
    { packages: ["unreloader"] },
  );
  const env = { REQUEST: String(request.port), DISPOSAL: String(disposal.port) };
  await using served = await serve(app, "main.js", { env });
  assert.equal(await served.text("/"), "base 1");
  const outliving = served.getOnce("/slow");
  await request.arrival();
  app.write("base.js", base(2));
  const waiting = served.getOnce("/");
  await disposal.arrival();
  request.open();
  assert.equal((await outliving).body, "base 1");
  disposal.open();
  assert.equal((await waiting).body, "base 2");
  assert.equal(served.lines.matching(/middle is evaluated/).length, 2);
});

test("a request that new code sends to its own server while it is evaluated is answered by the new code", {
  skip: plainMode,
}, async () => {
  const n = (value: number) => `export const n = ${value};\n`;
  await using app = new TempApp({
    "main.mjs": `import http from "node:http";
import { seen } from "./site.mjs";
http.createServer((req, res) => res.end(seen)).listen(process.env.PORT, "127.0.0.1");
`,
    "site.mjs": `import { once } from "node:events";
import http from "node:http";
import { n } from "./n.mjs";
const server = http.createServer(async (req, res) => res.end("n is " + n + ", later " + (await import("./n.mjs")).n));
server.listen(0, "127.0.0.1");
await once(server, "listening");
export const seen = await (await fetch("http://127.0.0.1:" + server.address().port)).text();
`,
    "n.mjs": n(1),
  });
  await using served = await serve(app, "main.mjs");
  assert.equal(await served.text("/"), "n is 1, later 1");
  app.write("n.mjs", n(2));
  assert.equal(await served.text("/"), "n is 2, later 2");
});
