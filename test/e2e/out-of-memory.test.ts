/** Code that allocates until there is no memory left ends its thread, and never the process. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../support/deadline.js";
import { plainMode, ServedApp, type ServeOptions, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": JSON.stringify({ type: "module" }),
  "app.js": `import http from "node:http";
import { answer } from "./answer.js";
http.createServer((request, response) => response.end(answer(request.url))).listen(process.env.PORT, "127.0.0.1");
`,
  "answer.js": `export function answer(url) {
  if (url === "/arrays") fill(() => new Array(10_000).fill(Math.random()));
  if (url === "/objects") fill(() => ({ a: Math.random(), b: { c: [1, 2, 3] } }));
  return "one";
}
function fill(make) {
  for (const all = []; ; ) all.push(make());
}
`,
};
const FILL = "{ const all = []; for (;;) all.push(new Array(10_000).fill(Math.random())); }";
const options: ServeOptions = { env: { NODE_OPTIONS: "--max-old-space-size=100" } };

describe("out of memory", { skip: plainMode }, () => {
  for (const path of ["/arrays", "/objects"]) {
    test(`in a handler (${path}): the request gets 502, the next one a fresh worker, again and again`, async () => {
      await using app = new TempApp(files);
      await using served = await serve(app, "app.js", options);
      for (let round = 0; round < 3; round++) {
        const lost = await served.getOnce(path);
        assert.equal(lost.status, 502);
        assert.match(lost.body, /memory/);
        const next = await eventually(
          () => served.getOnce("/"),
          ({ status }) => status === 200,
          "an answer by a fresh worker",
        );
        assert.equal(next.body, "one");
      }
    });
  }

  test("at the start, and in an edit: who asks gets a page, and the save that mends is answered", async () => {
    await using app = new TempApp({ ...files, "answer.js": `${FILL}\n${files["answer.js"]}` });
    await using served = new ServedApp(app, "app.js", options);
    await served.start();
    const mended = async (): Promise<void> => {
      app.write("answer.js", files["answer.js"]);
      await eventually(
        () => served.getOnce("/"),
        ({ status }) => status === 200,
        "an answer by the mended app",
      );
    };
    await served.lines.wait(/memory/);
    await mended();
    const since = served.lines.all.length;
    app.write("answer.js", `${files["answer.js"]}\n${FILL}\n`);
    const page = await served.getOnce("/");
    assert.ok(page.status >= 500, `${page.status} ${page.body}`);
    await served.lines.wait(/memory/, since);
    await mended();
  });

  test("in a dispose hook: a fresh worker takes the edit over", async () => {
    const hooked = `import { unreloader } from "unreloader/app";\nunreloader.dispose(() => ${FILL});\n${files["answer.js"]}`;
    await using app = new TempApp({ ...files, "answer.js": hooked }, { packages: ["unreloader"] });
    await using served = await serve(app, "app.js", options);
    assert.equal(await served.text("/"), "one");
    app.write("answer.js", files["answer.js"].replace('"one"', '"two"'));
    await eventually(
      () => served.getOnce("/"),
      ({ body }) => body === "two",
      "an answer by the new code",
    );
  });
});
