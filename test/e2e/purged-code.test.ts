/**
 * A request that was begun before a reload goes on in its own version. A restart would have ended it; when it blocks the
 * thread, a fresh worker takes over, and nobody has to save again. What is slow in code that is current loses nothing.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/**
 * `/held` waits for `/go`, and then does what its query says; the others do so at once. `count` is state of a module that
 * is kept.
 */
const work = `  if (url.pathname === "/held") {
    console.log("held");
    await new Promise((resolve) => { globalThis.go = resolve; });
  }
  if (url.search === "?loop") for (;;) Math.random();
  if (url.search === "?inside") spin(() => true);
  const end = performance.now() + Number(/\\d+/.exec(url.search));
  spin(() => performance.now() < end);
  response.end(word);
}
`;
const main = `http.createServer((request, response) => {
  if (request.url === "/count") return response.end("count " + ++state.count);
  if (request.url === "/go") return response.end("goes on", () => setImmediate(globalThis.go));
  answer(new URL(request.url, "http://x"), response);
}).listen(0);
`;

const PAGE = 'import http from "node:http";\n';
const KINDS = {
  "ES modules": {
    entry: "main.js",
    answer: "answer.js",
    loopAt: 8,
    files: {
      "package.json": JSON.stringify({ type: "module" }),
      "main.js": `${PAGE}import { answer } from "./answer.js";\nimport { state } from "./state.js";\n${main}`,
      "state.js": "export const state = { count: 0 };\n",
      "answer.js": `import { spin } from "./spin.js";\nconst word = "one";\nexport async function answer(url, response) {\n${work}`,
      "spin.js": "export function spin(goesOn) {\n  while (goesOn());\n}\n",
    },
  },
  TypeScript: {
    entry: "main.ts",
    answer: "answer.ts",
    loopAt: 12,
    files: {
      "package.json": JSON.stringify({ type: "module" }),
      "main.ts": `${PAGE}import { answer } from "./answer.ts";\nimport { state } from "./state.ts";\n${main}`,
      "state.ts": "export const state: { count: number } = { count: 0 };\n",
      "answer.ts": `import { spin } from "./spin.ts";\nenum Kind {\n  A,\n  B,\n}\nconst word: string = "one";\nexport async function answer(url: URL, response: any) {\n${work}`,
      "spin.ts": "export function spin(goesOn: () => boolean) {\n  while (goesOn());\n}\n",
    },
  },
  CommonJS: {
    entry: "main.cjs",
    answer: "answer.cjs",
    loopAt: 8,
    files: {
      "package.json": "{}",
      "main.cjs": `const http = require("node:http");\nconst { answer } = require("./answer.cjs");\nconst state = require("./state.cjs");\n${main}`,
      "state.cjs": "exports.count = 0;\n",
      "answer.cjs": `const { spin } = require("./spin.cjs");\nconst word = "one";\nexports.answer = async function (url, response) {\n${work}`,
      "spin.cjs": "exports.spin = function (goesOn) {\n  while (goesOn());\n};\n",
    },
  },
};

/** Begins `/held` with this query, and saves other code for it; resolves when that is loaded. `/go` lets it go on. */
async function outlive(served: ServedApp, folder: TempApp, answer: string, query: string) {
  const held = served.getOnce(`/held${query}`).catch((error: Error) => ({ status: 0, body: error.message }));
  await served.lines.wait(/^held/);
  // Lines are others than they were.
  folder.write(answer, `\n\n\n${folder.read(answer).replace('"one"', '"two"')}`);
  await served.lines.wait(/reloaded \d+ of \d+ modules/);
  assert.equal(await served.text("/now?0"), "two");
  return { held };
}

const RESTARTED = /: restarted /;

for (const [kind, { entry, answer, loopAt, files }] of Object.entries(KINDS)) {
  describe(`what a request does that has outlived a reload: ${kind}`, { skip: plainMode }, () => {
    for (const [what, query, line] of [
      ["loops", "?loop", loopAt],
      ["loops in a module that was kept", "?inside", loopAt + 1],
    ] as const) {
      test(`it ${what}: a fresh worker takes over without another save`, async () => {
        await using folder = new TempApp(files);
        await using served = await serve(folder, entry, { flags: ["--watchdog", "off", "--drain", "200"] });
        const { held } = await outlive(served, folder, answer, query);
        assert.equal(await served.text("/go"), "goes on");
        const place = `${answer}:${line}:\\d+`;
        await served.lines.wait(new RegExp(`${place} is from before the last reload, and did not come to an end$`));
        assert.equal(await served.text("/now?0"), "two");
        await served.stop();
        assert.ok([0, 502].includes((await held).status));
      });
    }

    test("it is only slow: a fresh worker takes over, and it is answered all the same", async () => {
      await using folder = new TempApp(files);
      await using served = await serve(folder, entry);
      const { held } = await outlive(served, folder, answer, "?4000");
      assert.equal(await served.text("/go"), "goes on");
      await served.lines.wait(RESTARTED);
      assert.equal(await served.text("/now?0"), "two");
      assert.deepEqual([(await held).status, (await held).body], [200, "one"]);
    });

    test("code that is current is slow: nothing is lost", async () => {
      await using folder = new TempApp(files);
      await using served = await serve(folder, entry);
      const { held } = await outlive(served, folder, answer, "?0");
      assert.equal(await served.text("/count"), "count 1");
      const slow = served.getOnce("/now?5000");
      await served.lines.wait(/has kept the app busy for 2 s/);
      assert.equal((await slow).body, "two");
      assert.equal(await served.text("/count"), "count 2");
      assert.equal(await served.text("/go"), "goes on");
      assert.equal((await held).body, "one");
      assert.deepEqual(served.lines.matching(RESTARTED), []);
    });

    test("code that a reload has put back, since it failed, is slow: nothing is lost", async () => {
      await using folder = new TempApp(files);
      await using served = await serve(folder, entry);
      assert.equal(await served.text("/count"), "count 1");
      const before = folder.read(answer);
      folder.write(answer, `${before}\nthrow new Error("broken");\n`);
      await served.lines.wait(/reload failed .*broken/);
      folder.write(answer, before);
      const slow = served.getOnce("/now?3500");
      await served.lines.wait(/has kept the app busy for 2 s/);
      assert.equal((await slow).body, "one");
      assert.equal(await served.text("/count"), "count 2");
      assert.deepEqual(served.lines.matching(RESTARTED), []);
    });
  });
}

test("a request loops that was begun before a reload, while that waits for new code", { skip: plainMode }, async () => {
  const { entry, answer, files } = KINDS["ES modules"];
  await using folder = new TempApp(files);
  await using served = await serve(folder, entry, { flags: ["--drain", "200"] });
  const held = served.getOnce("/held?loop").catch(() => undefined);
  await served.lines.wait(/^held/);
  const waits =
    'if (globalThis.go) {\n  setImmediate(globalThis.go);\n  console.log("evaluating");\n  await new Promise(() => {});\n}\n';
  folder.write(answer, `${waits}${folder.read(answer).replace('"one"', '"two"')}`);
  await served.lines.wait(/^evaluating/);
  assert.equal(await served.text("/now?0"), "two");
  await served.lines.wait(/answer\.js:8:\d+ is from before the last reload/);
  await served.stop();
  await held;
});
