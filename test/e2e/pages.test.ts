/** What clients get that ask while the app cannot answer: the failure, what is held, what has died, what is blocked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const HTML = { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } };
const JSON_ONLY = { headers: { accept: "application/json" } };

interface PageJson {
  readonly status: number;
  readonly page: string;
  readonly error: {
    readonly message: string;
    readonly file: string;
    readonly line: number;
    readonly cause?: { message: string };
  };
  readonly importedBy: readonly string[];
  readonly generation: number;
  readonly isNew: boolean | null;
  readonly lastLines: readonly string[];
}

test("a page says in every form what failed, why, what came before it, and what still works", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "main.js": `import http from "node:http";
import { answer } from "./answer.js";
http.createServer((req, res) => {
  if (req.url === "/die") { console.log("last <words> \\x1b[31m"); setImmediate(() => { throw new Error("dies of it"); }); }
  else if (req.url === "/block") for (;;);
  else if (req.url !== "/wait") res.end(answer);
}).listen(process.env.PORT);
`,
    "answer.js": `export const answer = "fine";\n`,
    "package.json": `{ "name": "app", "type": "module" }\n`,
  });
  await using served = await serve(app, "main.js", { flags: ["--watchdog", "300"] });
  const page = async (path = "/") => JSON.parse((await served.getOnce(path, JSON_ONLY)).body) as PageJson;
  assert.equal(await served.text("/"), "fine");

  const broken = `try {\n  null.x;\n} catch (cause) {\n  throw new Error("<b>broken</b>", { cause });\n}\n`;
  app.write("answer.js", `${broken}export const answer = "not fine";\n`);
  const failure = await served.getOnce("/", HTML);
  assert.equal(failure.status, 500);
  assert.equal(failure.headers["content-type"], "text/html; charset=utf-8");
  for (const found of [
    /&lt;b&gt;broken&lt;\/b&gt;/,
    /Caused by:.*Cannot read properties of null/s,
    /<span class="line marked">/,
    /<span class="keyword">throw<\/span>/,
    /Imported by.*answer\.js.*main\.js/s,
    /Generation 1 is whole/,
    /New since your last edit: <code>answer\.js<\/code>/,
  ])
    assert.match(failure.body, found);
  const first = await page();
  assert.deepEqual(
    [
      first.status,
      first.error.message,
      first.error.line,
      first.error.cause?.message.slice(0, 11),
      first.isNew,
      first.generation,
    ],
    [500, "<b>broken</b>", 4, "Cannot read", true, 1],
  );
  assert.equal(first.page, failure.headers["x-unreloader-page"]);
  const [by] = first.importedBy;
  assert.match(String(by), /main\.js$/);
  const text = (await served.getOnce("/", { headers: { accept: "*/*" } })).body;
  assert.match(
    text,
    /^EvaluationError: answer\.js:4:.*Caused by: TypeError.*New since|^EvaluationError: answer\.js:4:.*New since.*Caused by: TypeError/s,
  );

  app.edit("answer.js", "try {", "// an edit\ntry {");
  assert.deepEqual([(await page()).isNew, (await page()).error.line], [false, 5]);
  assert.match((await served.getOnce("/", HTML)).body, /Was there before your last edit/);

  app.write("answer.js", `export const answer = "mended";\n`);
  assert.equal(await served.text("/"), "mended");
  assert.equal((await served.get("/", HTML)).headers["x-unreloader-page"], undefined);

  const died = await served.getOnce("/die", HTML);
  assert.equal(died.status, 502);
  assert.match(
    died.body,
    /<h1>\w*Error: <span class="message">dies of it.*<h2>The app's last lines<\/h2>.*last &lt;words&gt;/s,
  );
  assert.doesNotMatch(died.body, /http-equiv="refresh"|data-repeat/);

  const blocked = await served.getOnce("/block", HTML);
  assert.equal(blocked.status, 504);
  assert.match(blocked.body, /main\.js:5:/);
  assert.match(blocked.body, /<span class="line marked">/);
  app.write("answer.js", `export const answer = "again";\n`);
  assert.equal(await served.text("/"), "again");

  // The third start of the same text: nobody has saved since.
  app.write("answer.js", `process.exit(3);\nexport const answer = "never";\n`);
  await served.lines.wait(/started again in 1 s/);
  assert.equal((await page()).isNew, true);
});

test("who waits for an app that does not listen is told so in HTML", { skip: plainMode }, async () => {
  await using app = new TempApp({
    "main.js": `const http = require("node:http");
http.createServer((req, res) => res.end("fine")).listen(process.env.PORT);
`,
  });
  await using served = await serve(app, "main.js", { flags: ["--held-deadline", "300"] });
  assert.equal(await served.text("/"), "fine");
  app.write("main.js", "await new Promise(() => { setInterval(() => {}, 1000); });\n");
  const held = await served.getOnce("/", HTML);
  assert.equal(held.status, 503);
  assert.equal(held.headers["retry-after"], "1");
  assert.match(held.body, /has held this request for 0\.3 s.*it waits for/s);
  assert.match(held.body, /Comes back by itself/);
  assert.doesNotMatch(held.body, /<h2>Stack/);
});
