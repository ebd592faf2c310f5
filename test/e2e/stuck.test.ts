/** Code that never returns, wherever it stands: the save that mends it is answered by the new code, and nobody is refused. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { createSupervisor } from "../../src/index.js";
import { DEADLINE_MS, eventually, within } from "../support/deadline.js";
import { plainMode, ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": JSON.stringify({ type: "module" }),
  "main.js": `import http from "node:http";
import { answer } from "./answer.js";
http.createServer((req, res) => answer(req, res)).listen(0);
console.log("started");
`,
  "answer.js": `import { word } from "./word.js";
export function answer(req, res) { res.end(word); }
`,
  "word.js": `export const word = "one";\n`,
};

const LOOP = "for (;;) Math.random();\n";
const AWAIT = "await new Promise(() => {});\n";
const OK = (word: string): string => `export const word = ${JSON.stringify(word)};\n`;

/** Sends a request and lets it wait. */
function hang(served: ServedApp, path = "/"): Promise<{ status: number; body: string }> {
  return served.getOnce(path).catch((error: Error) => ({ status: 0, body: error.message }));
}

describe("a save that mends", { skip: plainMode }, () => {
  for (const [what, broken] of [
    ["loops", LOOP + OK("broken")],
    ["awaits for ever", AWAIT + OK("broken")],
  ] as const) {
    test(`an edit that ${what} while it is evaluated, with a request waiting for it`, async () => {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js");
      assert.equal(await served.text("/"), "one");
      app.write("word.js", `console.log("begins");\n${broken}`);
      const waiting = hang(served);
      await served.lines.wait(/begins/);
      app.write("word.js", OK("two"));
      assert.equal(await served.text("/"), "two");
      assert.equal((await waiting).body, "two", "the request that waited is answered by the new code, too");
      app.write("word.js", OK("three"));
      assert.equal(await served.text("/"), "three", "and it goes on");
    });

    test(`a start that ${what}`, async () => {
      await using app = new TempApp({ ...files, "word.js": `console.log("begins");\n${broken}` });
      await using served = new ServedApp(app, "main.js", {});
      const starting = served.start();
      await served.lines.wait(/begins/);
      app.write("word.js", OK("two"));
      await starting;
      assert.equal(await served.text("/"), "two");
    });

    test(`a fresh worker whose start ${what}`, async () => {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js");
      assert.equal(await served.text("/"), "one");
      app.write("word.js", `console.log("begins");\n${broken}`);
      app.write("package.json", JSON.stringify({ type: "module", version: "1.0.0" }));
      const waiting = hang(served);
      await served.lines.wait(/begins/);
      app.write("word.js", OK("two"));
      assert.equal(await served.text("/"), "two");
      assert.equal((await waiting).body, "two");
    });

    test(`a dispose hook that ${what}`, async () => {
      const hook =
        what === "loops"
          ? "() => { for (;;) Math.random(); }"
          : "() => { console.log('disposing'); return new Promise(() => {}); }";
      const hooked = `import { unreloader } from "unreloader/app";\nunreloader.dispose(${hook});\n`;
      await using app = new TempApp({ ...files, "word.js": hooked + OK("one") }, { packages: ["unreloader"] });
      await using served = await serve(app, "main.js");
      assert.equal(await served.text("/"), "one");
      app.write("word.js", OK("two"));
      const waiting = hang(served);
      if (what !== "loops") {
        await served.lines.wait(/disposing/);
        app.write("word.js", OK("three"));
      }
      assert.equal(await served.text("/"), what === "loops" ? "two" : "three");
      await waiting;
    });
  }

  test("a dispose hook that never ends takes its own time, not that of the new code, where older code could answer", async () => {
    const hooked = `import { unreloader } from "unreloader/app";\nunreloader.dispose(() => new Promise(() => {}));\n`;
    await using app = new TempApp({ ...files, "word.js": hooked + OK("one") }, { packages: ["unreloader"] });
    await using served = await serve(app, "main.js", { flags: ["--on-error", "last-good"] });
    assert.equal(await served.text("/"), "one");
    app.write("word.js", OK("two"));
    assert.equal(await served.text("/"), "two");
    assert.deepEqual(served.lines.matching(/reload failed/), []);
  });

  test("a dispose hook that closes the server when its reload was given up closes no port", async () => {
    await using app = new TempApp(
      {
        ...files,
        "main.js": `import fs from "node:fs";
import http from "node:http";
import { unreloader } from "unreloader/app";
import { answer } from "./answer.js";
const server = http.createServer((req, res) => answer(req, res)).listen(0);
unreloader.dispose(async () => {
  console.log("disposing");
  while (!fs.existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 5));
  server.close(() => console.log("closed"));
});
`,
        "answer.js": `import { word } from "./word.js";
export const answer = (req, res) => res.end(word);
`,
      },
      { packages: ["unreloader"] },
    );
    await using served = await serve(app, "main.js");
    assert.equal(await served.text("/"), "one");
    app.write(
      "answer.js",
      `import { word } from "./word.js";\nexport const answer = (req, res) => res.end(word + "!");\n`,
    );
    app.write("main.js", `${app.read("main.js")}answer.name;\n`);
    await served.lines.wait(/disposing/);
    app.write("word.js", "export const word = ;\n");
    await served.lines.wait(/reload failed/);
    app.write("go", "");
    await served.lines.wait(/closed/);
    assert.equal((await served.getOnce("/")).status, 500);
    app.write("word.js", OK("two"));
    assert.equal(await served.text("/"), "two!");
  });

  test("an edit that awaits for ever, again and again in the same file", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js");
    for (let round = 1; round <= 5; round++) {
      const since = served.lines.all.length;
      app.write("word.js", `console.log("begins");\n${AWAIT}${OK("broken")}`);
      const waiting = hang(served);
      await served.lines.wait(/begins/, since);
      app.write("word.js", OK(`round ${round}`));
      assert.equal(await served.text("/"), `round ${round}`);
      assert.equal((await waiting).body, `round ${round}`);
    }
  });

  test("a handler that loops: the request that began it is the only one to suffer", async () => {
    await using app = new TempApp({
      ...files,
      "answer.js": `import { word } from "./word.js";
export function answer(req, res) {
  if (req.url === "/loop") { console.log("looping"); for (;;) Math.random(); }
  res.end(word);
}
`,
    });
    await using served = await serve(app, "main.js", { flags: ["--drain", "200"] });
    assert.equal(await served.text("/"), "one");
    const looping = hang(served, "/loop");
    await served.lines.wait(/looping/);
    const waiting = hang(served);
    app.write("word.js", OK("two"));
    assert.equal(await served.text("/"), "two");
    assert.equal((await waiting).body, "two");
    assert.ok([502, 504].includes((await looping).status));
  });
});

test("a module that the app writes whenever it is evaluated puts no end to that", {
  skip: plainMode,
}, async () => {
  const main = (more: string) => `import { writeFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { mark } from "./mark.js";
${more}http.createServer((req, res) => res.end("marked " + mark)).listen(0);
`;
  // It goes on for longer than a save leaves to what is under way.
  const writes = `writeFileSync(new URL("mark.js", import.meta.url), "export const mark = " + performance.now());
await pause(1500);
`;
  await using app = new TempApp({
    "package.json": files["package.json"],
    "main.js": main(""),
    "mark.js": "export const mark = 0;\n",
  });
  await using served = await serve(app, "main.js");
  assert.equal(await served.text("/"), "marked 0");
  app.write("main.js", main(writes));
  assert.match(await served.text("/"), /^marked [1-9]/);
  assert.equal(served.lines.matching(/mark.js: written whenever the app starts/).length, 0);
  assert.ok(served.lines.matching(/reloaded/).length <= 2, String(served.lines));
});

describe("what is asked for while the app is stuck", { skip: plainMode }, () => {
  for (const [what, broken] of [
    ["loops", LOOP],
    ["awaits for ever", AWAIT],
  ] as const) {
    test(`reload(), restart() and close() come to an end while an edit ${what}`, async () => {
      await using app = new TempApp(files);
      const supervisor = createSupervisor({ entry: app.path("main.js"), logLevel: "silent", drain: 200 });
      try {
        await supervisor.listen();
        app.write("word.js", broken + OK("broken"));
        const stuck = supervisor.reload();
        const told = await within(supervisor.reload(), () => "reload()", DEADLINE_MS);
        assert.ok(["unchanged", "failed"].includes(told.kind));
        app.write("word.js", OK("two"));
        const restarted = await within(supervisor.restart(), () => "restart()", DEADLINE_MS);
        assert.equal(restarted.kind, "restarted");
        assert.equal(await (await supervisor.fetch("/")).text(), "two");
        await stuck;
      } finally {
        await within(supervisor.close(), () => "close()", DEADLINE_MS);
      }
    });
  }
});

test("a pipelined request that is held in the worker, where the front cannot take it back, has the same deadline", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    ...files,
    "answer.js": `import { word } from "./word.js";
export function answer(req, res) {
  if (req.url !== "/slow") return res.end(word);
  console.log("slow begun");
  const begun = word;
  process.once("go", () => res.end("slow " + begun));
}
import { existsSync } from "node:fs";
setInterval(() => existsSync(new URL("go", import.meta.url)) && process.emit("go"), 5);
`,
  });
  await using served = await serve(app, "main.js", { flags: ["--held-deadline", "700"] });
  assert.equal(await served.text("/"), "one");
  const socket = connect(served.port, "127.0.0.1");
  let received = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    received += part;
  });
  try {
    socket.write("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    await served.lines.wait(/slow begun/);
    app.write("word.js", `console.log("stuck");\n${AWAIT}${OK("broken")}`);
    // Behind a request that has begun, its bytes go on to the worker.
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await served.lines.wait(/^stuck/);
    app.write("go", "");
    await eventually(
      async () => received,
      (text) => /slow one[\s\S]*HTTP\/1.1 503/.test(text),
      "both answers",
    );
    assert.match(received, /has held this request for 0.7 s/);
  } finally {
    socket.destroy();
  }
});
