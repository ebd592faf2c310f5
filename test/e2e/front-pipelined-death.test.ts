/** A connection with several requests under way when the app's worker dies: the answers that came stay, the next is a page. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Outcome, RawConnection } from "../support/raw-http.js";
import { plainMode, type ServedApp, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const main = `const http = require("node:http");
http.createServer((req, res) => {
  if (req.url === "/crash") setImmediate(() => { throw new Error("crashed"); });
  else if (req.url === "/exit") process.exit(3);
  else if (req.url === "/part") res.write("half");
  else if (req.url === "/never") return;
  else res.end("whole");
}).listen(process.env.PORT, "127.0.0.1");
`;

/** Status, or what else became of it. */
function told(outcome: Outcome): number | string {
  return outcome.type === "answer" ? outcome.status : outcome.type;
}

describe("requests sent together, and the worker dies", { skip: plainMode }, () => {
  let app: TempApp;
  let served: ServedApp;
  before(async () => {
    app = new TempApp({ "main.js": main });
    served = await serve(app, "main.js");
  });
  after(async () => {
    await served[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });

  const together = async (...paths: string[]): Promise<(number | string)[]> => {
    const connection = new RawConnection(served.port);
    const outcomes = await Promise.all(
      paths.map((path) =>
        connection.ask(path === "/upload" ? { method: "POST", path, body: Buffer.alloc(400_000, 97) } : { path }),
      ),
    );
    connection.destroy();
    assert.equal(await served.text("/"), "whole", "a fresh worker follows");
    return outcomes.map(told);
  };

  test("an answer, then the request that kills it: the answer and a page", async () => {
    assert.deepEqual(await together("/", "/crash"), [200, 502]);
    assert.deepEqual(await together("/", "/", "/crash", "/", "/"), [200, 200, 502, "unprocessed", "unprocessed"]);
  });

  test("a request that is being answered, behind an answer: a page in its turn", async () => {
    assert.deepEqual(await together("/", "/never", "/crash"), [200, 502, "unprocessed"]);
  });

  test("a large upload behind it does not take the page away", async () => {
    assert.deepEqual(await together("/exit", "/upload"), [502, "unprocessed"]);
  });

  test("an answer that has come in part is cut", async () => {
    assert.deepEqual(await together("/part", "/crash"), ["lost", "unprocessed"]);
  });
});
