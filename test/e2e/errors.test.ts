import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { requestOnce } from "../support/http-client.js";
import { plainMode, runToExit, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const server = `import http from "node:http";
import { answer } from "./answer.js";

http.createServer((req, res) => answer(req, res)).listen(process.env.PORT);
`;

describe("the command line", { skip: plainMode }, () => {
  const badOptions: readonly (readonly [flag: string, args: readonly string[], named: readonly RegExp[]])[] = [
    ["an unknown flag", ["--prot", "3000", "main.js"], [/--prot/]],
    ["a port that is not a number", ["--port", "eighty", "main.js"], [/--port/, /eighty/]],
    ["a port that is too large", ["--port", "70000", "main.js"], [/--port/, /70000/]],
    ["an unknown scope", ["--scope", "everything", "main.js"], [/--scope/, /everything/]],
    ["a bad cooldown", ["--cooldown", "soon", "main.js"], [/--cooldown/, /soon/]],
    ["an unknown way to watch", ["--watch", "closely", "main.js"], [/--watch/, /closely/]],
  ];
  for (const [name, args, named] of badOptions) {
    test(`${name} ends with code 1 and one line that names it`, async () => {
      await using app = new TempApp({ "main.js": "" });
      const { code, lines } = await runToExit(app.folder, args);
      assert.equal(code, 1, String(lines));
      const printed = lines.all.filter((line) => line !== "");
      assert.equal(printed.length, 1, String(lines));
      for (const pattern of named) assert.match(printed[0] ?? "", pattern);
    });
  }

  test("an entry that is not there ends with code 2 and names it", async () => {
    await using app = new TempApp({});
    const { code, lines } = await runToExit(app.folder, ["nothing/here.ts"]);
    assert.equal(code, 2, String(lines));
    assert.match(String(lines), /nothing\/here\.ts/);
  });

  test("--version and --help end with code 0", async () => {
    await using app = new TempApp({});
    const version = await runToExit(app.folder, ["--version"]);
    assert.equal(version.code, 0);
    assert.match(String(version.lines), /\d+\.\d+\.\d+/);
    const help = await runToExit(app.folder, ["--help"]);
    assert.equal(help.code, 0);
    for (const flag of ["--port", "--host", "--app", "--root", "--scope"]) assert.ok(String(help.lines).includes(flag));
  });
});

describe("an app that throws while starting", () => {
  test("is reported with file, line and column of the TypeScript source, and recovers on the next save", async () => {
    await using app = new TempApp({
      "package.json": `{ "name": "app", "type": "module" }\n`,
      "src/main.ts": server,
      "src/answer.ts": `import type { IncomingMessage, ServerResponse } from "node:http";

interface Settings {
  title: string;
}

const settings: Settings | undefined = undefined as Settings | undefined;
export const title: string = settings!.title;

export function answer(_req: IncomingMessage, res: ServerResponse): void {
  res.end("fine");
}
`,
    });
    await using served = await serve(app, "src/main.ts", { flags: ["--port", "0"] });
    const failure = await served.get("/");
    assert.equal(failure.status, 500);
    assert.match(failure.body, /title/);
    assert.match(failure.body, /src\/answer\.ts:8:\d+/);
    if (served.inPlace) {
      assert.match(failure.body, /src\/answer\.ts:8:40/);
      assert.match(String(failure.headers["content-type"]), /^text\/plain/);
    }
    app.edit("src/answer.ts", "settings!.title", `"title"`);
    assert.equal(await served.text("/"), "fine");
  });

  test("is served on the same port after the fix, when it never came to listen before", async () => {
    await using app = new TempApp({
      "main.js": `const http = require("node:http");
throw new Error("too early");
http.createServer((req, res) => res.end("fine")).listen(process.env.PORT);
`,
    });
    await using served = await serve(app, "main.js", { flags: ["--port", "0"] });
    const failure = await served.get("/");
    assert.equal(failure.status, 500);
    assert.match(failure.body, /too early/);
    app.edit("main.js", `throw new Error("too early");`, "");
    assert.equal(await served.text("/"), "fine");
    if (served.inPlace) assert.equal((await requestOnce(served.origin)).body, "fine");
  });

  test("a syntax error at the start names file and line", async () => {
    await using app = new TempApp({
      "package.json": `{ "name": "app", "type": "module" }\n`,
      "main.js": server,
      "answer.js": `export function answer(req, res) {\n  res.end("fine" +);\n}\n`,
    });
    await using served = await serve(app, "main.js", { flags: ["--port", "0"] });
    const failure = await served.get("/");
    assert.equal(failure.status, 500);
    assert.match(failure.body, /answer\.js:2/);
    app.edit("answer.js", `"fine" +`, `"fine"`);
    assert.equal(await served.text("/"), "fine");
  });

  test("a missing import at the start is mended by adding the file", async () => {
    await using app = new TempApp({ "package.json": `{ "name": "app", "type": "module" }\n`, "main.js": server });
    await using served = await serve(app, "main.js", { flags: ["--port", "0"] });
    const failure = await served.get("/");
    assert.equal(failure.status, 500);
    assert.match(failure.body, /answer\.js/);
    const told = served.lines.wait(/restarted 2 modules .* \(epoch \d+\): answer\.js changed$/);
    app.write("answer.js", `export const answer = (req, res) => res.end("fine");\n`);
    assert.equal(await served.text("/"), "fine");
    await told;
  });
});

describe("an app that is broken while it runs", { skip: plainMode }, () => {
  for (const onError of ["page", "last-good"]) {
    test(`with --on-error ${onError} it is told when taking the edit back has mended it`, async () => {
      const answer = `export const answer = (req, res) => res.end("fine");\n`;
      const name = `{ "name": "app", "type": "module" }\n`;
      await using app = new TempApp({ "package.json": name, "main.js": server, "answer.js": answer });
      await using served = await serve(app, "main.js", { flags: ["--port", "0", "--on-error", onError] });
      assert.equal(await served.text("/"), "fine");
      app.write("answer.js", `${answer}}\n`);
      await served.get("/");
      await served.lines.wait(/reload failed \(generation 1 kept\)/);
      app.write("answer.js", answer);
      assert.equal(await served.text("/"), "fine");
      assert.match(await served.lines.wait(/mended/), /mended: the files are again as generation 1 has them$/);
      app.write("answer.js", answer);
      assert.equal(await served.text("/"), "fine");
      assert.equal(served.lines.matching(/mended/).length, 1, "nothing was broken any more");
    });
  }
});

describe("an app that ends by itself", { skip: plainMode }, () => {
  const files = {
    "package.json": `{ "name": "app", "type": "module" }\n`,
    "main.js": server,
    "answer.js": `let count = 0;
export function answer(req, res) {
  if (req.url === "/throw") setImmediate(() => { throw new Error("nobody catches this"); });
  else if (req.url === "/reject") Promise.reject(new Error("nobody awaits this"));
  else if (req.url === "/exit") process.exit(3);
  else res.end(String(++count));
}
`,
  };
  const ends: readonly (readonly [path: string, line: RegExp])[] = [
    ["/throw", /nobody catches this/],
    ["/reject", /nobody awaits this/],
    ["/exit", /exit\D*3\b/],
  ];
  for (const [path, line] of ends) {
    test(`${path}: 502 for that request, one clear line, and the next is served by a fresh worker`, async () => {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js");
      assert.equal(await served.text("/"), "1");
      assert.equal(await served.text("/"), "2");
      const since = served.lines.all.length;
      assert.equal((await served.getOnce(path)).status, 502);
      assert.equal(await served.text("/"), "1");
      assert.equal(await served.text("/"), "2");
      const told = served.lines.matching(/^unreloader: /, since).filter((text) => line.test(text));
      assert.equal(told.length, 1, String(served.lines));
      assert.equal((await served.getOnce(path)).status, 502, "and again");
      assert.equal(await served.text("/"), "1");
      app.edit("answer.js", "++count", "(++count * 10)");
      assert.equal(await served.text("/"), "10", "edits are taken over by the fresh worker");
    });
  }

  test("other requests in flight get 502 as well, and those that come meanwhile wait", async () => {
    await using app = new TempApp({
      ...files,
      "answer.js": `export function answer(req, res) {
  if (req.url === "/exit") process.exit(1);
  else if (req.url !== "/hang") res.end("fine");
  else console.log("hanging");
}
`,
    });
    await using served = await serve(app, "main.js");
    const hanging = served.getOnce("/hang");
    await served.lines.wait(/hanging/);
    const exit = served.getOnce("/exit");
    const statuses = [(await hanging).status, (await exit).status];
    assert.deepEqual(statuses, [502, 502]);
    const next = await Promise.all(Array.from({ length: 10 }, () => served.getOnce("/")));
    assert.deepEqual(new Set(next.map((answer) => answer.body)), new Set(["fine"]));
  });
});

describe("stopping", { skip: plainMode }, () => {
  test("SIGTERM lets the request in flight finish and ends with code 0", async () => {
    await using app = new TempApp({
      "main.js": `const http = require("node:http");
let pending;
http.createServer((req, res) => {
  if (req.url === "/slow") {
    pending = res;
    console.log("slow request");
  } else res.end("fast");
}).listen(process.env.PORT);
process.on("SIGTERM", () => {
  console.log("own listener");
  setImmediate(() => pending.end("slow"));
});
`,
    });
    await using served = await serve(app, "main.js");
    const slow = served.getOnce("/slow");
    await served.lines.wait(/slow request/);
    const stopped = served.stop("SIGTERM");
    assert.equal((await slow).body, "slow");
    assert.deepEqual(await stopped, { code: 0, signal: null });
    assert.equal(served.lines.matching(/own listener/).length, 1, "the app's own listener ran in the worker");
  });
});
