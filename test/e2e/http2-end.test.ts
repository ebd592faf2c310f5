/**
 * A thread that ends while Node hands out what one read of an HTTP/2 session has brought: Node would abort the whole
 * process (`onread->IsFunction()`) when another stream with a body begins behind the end. Only the thread may end.
 */
import assert from "node:assert/strict";
import http2 from "node:http2";
import { describe, test } from "node:test";
import { certificate, key } from "../support/certificate.js";
import { eventually, within } from "../support/deadline.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const LISTENER = `(stream, headers) => {
  const path = headers[":path"];
  if (path === "/throw") throw new Error("thrown");
  if (path === "/exit") process.exit(3);
  if (path === "/reject") return void Promise.reject(new Error("rejected"));
  if (path === "/data") return void stream.on("data", () => { throw new Error("thrown"); });
  if (path === "/busy") for (;;);
  if (path === "/busy-data") stream.on("data", () => { for (;;); });
  else if (path !== "/never") {
    stream.respond();
    stream.end("fine");
  }
}`;
const SERVERS = {
  "without TLS": `http2.createServer()`,
  "with TLS": `http2.createSecureServer({ key: fs.readFileSync("key.pem"), cert: fs.readFileSync("cert.pem") })`,
};

const files = (server: string) => ({
  "key.pem": key,
  "cert.pem": certificate,
  "main.js": `const http2 = require("node:http2");
const fs = require("node:fs");
${server}.on("stream", ${LISTENER}).listen(process.env.PORT, "127.0.0.1");
`,
});

const BODY = Buffer.alloc(12_000, 97);

/** POSTs all `paths` at once, on a connection of their own; the status of each, or undefined when there was no answer. */
async function together(served: ServedApp, ...paths: string[]): Promise<(number | undefined)[]> {
  const session = http2.connect(served.origin, { rejectUnauthorized: false });
  session.on("error", () => {});
  const answers = paths.map(
    (path) =>
      new Promise<number | undefined>((resolve) => {
        const stream = session.request({ ":path": path, ":method": "POST" });
        let status: number | undefined;
        stream.on("response", (headers) => {
          status = headers[":status"];
        });
        stream.on("error", () => {});
        stream.on("close", () => resolve(status));
        stream.resume();
        stream.end(BODY);
      }),
  );
  try {
    return await within(Promise.all(answers), `answers to ${paths}`);
  } finally {
    session.destroy();
  }
}

/** The process is still there, and so is the app. */
function answersAgain(served: ServedApp): Promise<unknown> {
  const ask = async () => (await together(served, "/"))[0];
  return eventually(ask, (status) => status === 200, "a fresh worker");
}

describe("an HTTP/2 request ends the worker, and more has been read behind it", { skip: plainMode }, () => {
  for (const [name, server] of Object.entries(SERVERS)) {
    test(`by an exception, a rejection, or process.exit() (${name})`, async () => {
      await using app = new TempApp(files(server));
      await using served = await serve(app, "main.js");
      for (const path of ["/throw", "/data", "/reject", "/exit"]) {
        const [first] = await together(served, path, "/never", "/never");
        assert.equal(first, undefined, path);
        // An app that crashes again and again is started later and later, without a save between.
        app.append("main.js", "//\n");
        await answersAgain(served);
      }
    });
  }

  for (const path of ["/busy", "/busy-data"]) {
    test(`by blocking it, and it is ended by force (${path})`, async () => {
      await using app = new TempApp(files(SERVERS["without TLS"]));
      await using served = await serve(app, "main.js", { flags: ["--drain", "300"] });
      const answers = together(served, path, "/never", "/never");
      await served.lines.wait(/has kept the app busy for 2 s/);
      app.append("main.js", "//\n");
      await answersAgain(served);
      assert.equal((await answers)[0], undefined);
      // The old thread has been ended by then.
      assert.equal((await served.stop()).signal, null);
    });
  }
});
