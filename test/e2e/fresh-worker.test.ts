/** A fresh worker beside the old one, and apps that crash again and again. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { describe, test } from "node:test";
import { certificate, key } from "../support/certificate.js";
import { eventually, within } from "../support/deadline.js";
import { KeptConnection } from "../support/http-client.js";
import { plainMode, ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "package.json": JSON.stringify({ type: "module" }),
  "main.js": `import http from "node:http";
import { word } from "./word.js";
const waiting = [];
http.createServer((req, res) => {
  if (req.url === "/events") {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write("data: " + word + "\\n\\n");
    waiting.push(() => res.write("data: more " + word + "\\n\\n"));
  } else if (req.url === "/slow") {
    console.log("slow begun");
    waiting.push(() => res.end("slow " + word));
  } else if (req.url === "/exit") process.exit(3);
  else if (req.url === "/null") setImmediate(() => { throw null; });
  else if (req.url === "/undefined") Promise.reject();
  else res.end(word);
}).listen(0);
process.on("SIGUSR2", () => { for (const go of waiting.splice(0)) go(); });
export const go = () => { for (const one of waiting.splice(0)) one(); };
setInterval(() => { try { if (process.getBuiltinModule("node:fs").existsSync("go")) go(); } catch {} }, 10);
`,
  "word.js": `export const word = "one";\n`,
};

function touchPackage(app: TempApp, version: string): void {
  app.write("package.json", JSON.stringify({ type: "module", version }));
}

async function openEvents(
  served: ServedApp,
): Promise<{ next(pattern: RegExp): Promise<string>; closed: Promise<unknown> }> {
  const request = http.get(`${served.origin}/events`);
  // An answer that is cut is reset.
  request.on("error", () => undefined);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  response.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const closed = new Promise((resolve) => {
    response.on("error", () => undefined).once("close", resolve);
  });
  return {
    next: (pattern) =>
      eventually(
        async () => text,
        (seen) => pattern.test(seen),
        `${pattern} in the stream`,
      ),
    closed,
  };
}

describe("while a fresh worker takes over", { skip: plainMode }, () => {
  test("requests and streams that have begun go on in the old worker, and everything new goes to the new one", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js");
    const events = await openEvents(served);
    await events.next(/data: one/);
    const slow = served.getOnce("/slow");
    await served.lines.wait(/slow begun/);
    app.write("word.js", `export const word = "two";\n`);
    touchPackage(app, "1.0.0");
    assert.equal(await served.text("/"), "two");
    assert.equal((await served.getOnce("/")).body, "two");
    app.write("go", "");
    assert.equal((await slow).body, "slow one", "finished by the code that began it");
    await events.next(/more one/);
  });

  test("what does not end is closed when the drain is over, so that clients connect again", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js", { flags: ["--drain", "300"] });
    const events = await openEvents(served);
    await events.next(/data: one/);
    touchPackage(app, "1.0.0");
    assert.equal(await served.text("/"), "one");
    await within(events.closed, "the end of the stream");
    const again = await openEvents(served);
    await again.next(/data: one/);
  });

  for (const [what, flags, order] of [
    ["ends before the new one begins", [], ["begun one", "disposed one", "begun two"]],
    [
      "stays until the new one serves, where it may have to answer",
      ["--on-error", "last-good"],
      ["begun one", "begun two", "disposed one"],
    ],
  ] as const) {
    test(`an old worker that has nothing in flight ${what}`, async () => {
      const said = (word: string) => `import { unreloader } from "unreloader/app";
console.log("begun ${word}");
unreloader.dispose(() => console.log("disposed ${word}"));
export const word = "${word}";
`;
      await using app = new TempApp({ ...files, "word.js": said("one") }, { packages: ["unreloader"] });
      await using served = await serve(app, "main.js", { flags });
      assert.equal((await served.getOnce("/")).body, "one");
      app.write("word.js", said("two"));
      touchPackage(app, "1.0.0");
      assert.equal((await served.getOnce("/")).body, "two");
      await served.lines.wait(/^disposed one/);
      assert.deepEqual(served.lines.matching(/^(begun|disposed) /), order);
    });
  }

  test("a fresh worker that fails is tried once more without the old one, whose lock may be the reason", async () => {
    await using app = new TempApp({
      ...files,
      "word.js": `import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
const socket = createSocket("udp4");
const port = Number(readFileSync("port.txt", "utf8"));
socket.bind(port, "127.0.0.1");
await once(socket, "listening");
export const word = "bound " + process.env.TURN;
`,
    });
    const { createSocket } = await import("node:dgram");
    const probe = createSocket("udp4").bind(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address();
    probe.close();
    app.write("port.txt", String(port));
    app.write(".env", "TURN=1\n");
    await using served = await serve(app, "main.js", { flags: ["--env-file", ".env"] });
    assert.equal(await served.text("/"), "bound 1");
    app.write(".env", "TURN=2\n");
    assert.equal(await served.text("/"), "bound 2");
  });
});

test("an entry that is empty for a while, as in the middle of a save, keeps its port", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp(files);
  await using served = await serve(app, "main.js");
  assert.equal(await served.text("/"), "one");
  app.write("main.js", "");
  await served.lines.wait(/main\.js changed/);
  const waiting = served.getOnce("/");
  app.write("main.js", files["main.js"]);
  assert.equal((await waiting).body, "one");
  assert.equal(served.lines.matching(/closed http/).length, 0, String(served.lines));
});

describe("an app that crashes again and again", { skip: plainMode }, () => {
  const crash = `console.log("start");
import http from "node:http";
http.createServer((req, res) => res.end("never")).listen(0, () => {
  console.log("the database is at 127.0.0.1:5432");
  setTimeout(() => { throw new Error("db down"); }, 5);
});
`;

  test("is started again a few times, at longer and longer intervals, and then waits for a save", async () => {
    await using app = new TempApp({ ...files, "main.js": crash });
    await using served = await serve(app, "main.js");
    await served.lines.wait(/waiting for a change/);
    const starts = served.lines.matching(/^start$/).length;
    assert.ok(starts >= 4 && starts <= 6, `${starts} starts`);
    const page = await served.getOnce("/");
    assert.equal(page.status, 500);
    assert.match(page.body, /db down/);
    assert.match(page.body, /the database is at 127\.0\.0\.1:5432/, "the last lines of the app");
    assert.equal(served.lines.matching(/^start$/).length, starts, "a request is no reason to start it");
    app.write("main.js", files["main.js"]);
    assert.equal(await served.text("/"), "one");
  });

  for (const when of ["at its start", "in an edit"])
    test(`shows the last lines of one that ends itself while it is evaluated, ${when}`, async () => {
      const ends = `console.error("cannot start: no DATABASE_URL");\nprocess.exit(2);\n`;
      await using app = new TempApp({ ...files, ...(when === "at its start" && { "main.js": ends }) });
      await using served = await serve(app, "main.js");
      if (when === "in an edit") app.write("main.js", ends);
      const page = await served.getOnce("/");
      assert.equal(page.status, 500);
      assert.match(page.body, /process\.exit\(2\)[\s\S]*The app's last lines:\n {2}cannot start: no DATABASE_URL/);
      app.write("main.js", files["main.js"]);
      assert.equal(await served.text("/"), "one");
    });

  test("gives who asks meanwhile a page, and a save that mends is taken at once", async () => {
    await using app = new TempApp({ ...files, "main.js": crash });
    await using served = await serve(app, "main.js");
    await served.lines.wait(/restarting in 1 s/);
    const page = await served.getOnce("/");
    assert.equal(page.status, 500);
    assert.match(page.body, /db down/);
    app.write("main.js", files["main.js"]);
    assert.equal(await served.text("/"), "one");
  });

  test("while it starts: process.exit(1) is tried again, process.exit(0) of a script is not", async () => {
    await using app = new TempApp({ ...files, "main.js": `console.log("start"); await 0; process.exit(1);\n` });
    await using served = new ServedApp(app, "main.js", {});
    const starting = served.start().catch(() => undefined);
    await served.lines.wait(/in 4 s/);
    app.write("main.js", files["main.js"]);
    await starting;
    assert.equal(await served.text("/"), "one");
  });

  test("a handler that ends the process does so as often as somebody asks for it", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js");
    for (let turn = 0; turn < 6; turn++) {
      assert.equal((await served.getOnce("/exit")).status, 502);
      assert.equal(await served.text("/"), "one");
    }
  });

  test("and throws no value at all is one that has crashed, too", async () => {
    await using app = new TempApp(files);
    await using served = await serve(app, "main.js");
    for (const value of ["null", "undefined"]) {
      const answer = await served.getOnce(`/${value}`);
      assert.equal(answer.status, 502);
      assert.match(answer.body, new RegExp(`before it answered this request: .*${value}`));
      assert.equal(await served.text("/"), "one");
      assert.equal(served.lines.matching(new RegExp(`worker exited: .*${value}.*; restarting`)).length, 1);
    }
  });
});

test("requests in TLS sessions that ask for a fresh worker are refused in them, for clients to send again", {
  skip: plainMode,
}, async () => {
  const server = (call: string) => `const { readFileSync } = require("node:fs");
require(${call}({ key: readFileSync("key.pem"), cert: readFileSync("cert.pem") }, (req, res) => {
  res.end("answered");
}).listen(process.env.PORT, "127.0.0.1");
`;
  for (const call of [`"node:https").createServer`, `"node:http2").createSecureServer`]) {
    await using app = new TempApp({ "key.pem": key, "cert.pem": certificate, "main.js": server(call) });
    await using served = await serve(app, "main.js");
    // When the file's event is quicker than the request, the session is idle at the restart, and is closed.
    let refusals = 0;
    for (let version = 1; refusals < 3; version++) {
      assert.ok(version <= 12, `${refusals} of ${version} requests were refused`);
      const touch = () => app.write("package.json", JSON.stringify({ version: `1.${version}` }));
      const refused = call.includes("https") ? refusedByPage : refusedAsStream;
      if (await refused(served.origin, touch)) refusals++;
    }
  }
});

/** False: the session was closed before the request came. */
async function refusedByPage(origin: string, touch: () => void): Promise<boolean> {
  const kept = new KeptConnection(origin);
  try {
    assert.equal((await kept.request("/")).body, "answered");
    touch();
    const answer = await kept.request("/", { method: "POST", body: "x" }).catch((error: NodeJS.ErrnoException) => {
      assert.equal(error.code, "ECONNRESET");
    });
    if (answer) assert.deepEqual([answer.status, /not begun/.test(answer.body)], [503, true]);
    assert.equal((await kept.request("/", { method: "POST", body: "x" })).body, "answered");
    return answer !== undefined;
  } finally {
    kept.close();
  }
}

/** As above. */
async function refusedAsStream(origin: string, touch: () => void): Promise<boolean> {
  const session = http2.connect(origin, { rejectUnauthorized: false });
  session.on("error", () => {});
  try {
    assert.deepEqual(await streamEnd(session), [200, http2.constants.NGHTTP2_NO_ERROR]);
    touch();
    const [status, code] = await streamEnd(session);
    assert.equal(status, undefined);
    if (code !== http2.constants.NGHTTP2_CANCEL) assert.equal(code, http2.constants.NGHTTP2_REFUSED_STREAM);
    return code === http2.constants.NGHTTP2_REFUSED_STREAM;
  } finally {
    session.destroy();
  }
}

/** Status of a POST, and the code that its stream has ended with. */
function streamEnd(session: http2.ClientHttp2Session): Promise<[number | undefined, number]> {
  const ended = new Promise<[number | undefined, number]>((resolve) => {
    const stream = session.request({ ":path": "/", ":method": "POST" });
    let status: number | undefined;
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    stream.on("error", () => {});
    stream.on("close", () => resolve([status, stream.rstCode ?? -1]));
    stream.resume().end("x");
  });
  return within(ended, "the stream to end");
}

const SAVED_AGAIN_MS = 2000;

test("a file of a package that the app has loaded or read, edited or generated anew, takes a fresh worker, and so does a package that was missed", {
  skip: plainMode,
}, async () => {
  const manifest = (name: string, more = "") => `{ "name": "${name}", "version": "1.0.0"${more} }`;
  await using app = new TempApp({
    "package.json": JSON.stringify({ type: "module" }),
    "main.js": `import http from "node:http";
import { createRequire } from "node:module";
import client from "client";
import { word } from "words";
const require = createRequire(import.meta.url);
let maybe = "none";
try { maybe = require("maybe"); } catch {}
http.createServer((req, res) => res.end([client.made, word, require("late").word, client.text, maybe].join(" "))).listen(0);
`,
    "node_modules/client/package.json": manifest("client"),
    "node_modules/client/index.js": `exports.made = require(".made/client").made;
exports.text = require("node:fs").readFileSync(__dirname + "/text", "utf8");
`,
    "node_modules/client/text": "one",
    "node_modules/.made/client/index.js": `module.exports = require("./made.json");\n`,
    "node_modules/.made/client/made.json": `{ "made": "one" }`,
    "node_modules/words/package.json": manifest("words", `, "type": "module", "exports": "./index.js"`),
    "node_modules/words/index.js": `export * from "./lib/word.js";\n`,
    "node_modules/words/lib/word.js": `export const word = "one";\n`,
    "node_modules/late/package.json": manifest("late"),
    "node_modules/late/index.js": `exports.word = "one";\n`,
    "node_modules/late/other.js": `exports.word = "other";\n`,
  });
  await using served = await serve(app, "main.js");
  const answers = (expected: string) =>
    eventually(
      () => served.text("/"),
      (text) => text === expected,
      expected,
    );
  /** Which files the thread has loaded is told a moment later; what is written before that counts as loaded. */
  const save = (file: string, text: string, expected: string) => {
    let written = Number.NEGATIVE_INFINITY;
    return eventually(
      () => {
        if (performance.now() - written > SAVED_AGAIN_MS) {
          app.write(file, text);
          written = performance.now();
        }
        return served.text("/");
      },
      (answer) => answer === expected,
      expected,
    );
  };
  await answers("one one one one none");
  await save("node_modules/.made/client/made.json", `{ "made": "two" }`, "two one one one none");
  await save("node_modules/words/lib/word.js", `export const word = "two";\n`, "two two one one none");
  await save("node_modules/late/package.json", manifest("late", `, "main": "other.js"`), "two two other one none");
  await save("node_modules/client/text", "two", "two two other two none");
  await save("node_modules/maybe/index.js", `module.exports = "some";\n`, "two two other two some");
  assert.ok(
    served.lines.matching(/restarted .*node_modules\/words\/lib\/word\.js changed/).length > 0,
    String(served.lines),
  );
});
