/** `supervisor.fetch()`, `supervisor.listen()`, and several supervisors in one process. */
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { EmbeddedApp } from "../support/embedded-app.js";
import { requestOnce } from "../support/http-client.js";
import { watchLeftovers } from "../support/leftovers.js";

const app = {
  "app.js": `import { text } from "./text.js";
export const aborts = () => aborted;
let aborted = 0;
export default (req, res) => {
  if (req.url === "/redirect") return res.writeHead(302, { Location: "/target?x=1" }).end();
  if (req.url === "/hang") return void res.on("close", () => aborted++);
  if (req.url === "/stream") {
    res.write("first,");
    return void req.once("end", () => res.end("last")).resume();
  }
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => {
    const { method, url, headers } = req;
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify({ text, method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};
`,
  "text.js": `export const text = "one";\n`,
};

interface Echo {
  readonly text: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const echo = async (response: Promise<Response>) => (await (await response).json()) as Echo;

test("relative and absolute URLs, Request objects, forms and redirects reach the app, without a port", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const { supervisor } = embedded;
  const relative = await echo(supervisor.fetch("/users?a=b"));
  assert.deepEqual([relative.text, relative.method, relative.url], ["one", "GET", "/users?a=b"]);
  const absolute = await echo(supervisor.fetch(new URL("https://example.test/x")));
  assert.deepEqual([absolute.url, absolute.headers.host], ["/x", "example.test"]);
  const request = new Request("http://example.test/r", { method: "PUT", headers: { "x-a": "1" }, body: "asked" });
  const asked = await echo(supervisor.fetch(request));
  assert.deepEqual([asked.method, asked.url, asked.headers["x-a"], asked.body], ["PUT", "/r", "1", "asked"]);
  const form = new FormData();
  form.set("name", "Ada");
  const posted = await echo(supervisor.fetch("/form", { method: "POST", body: form }));
  assert.match(posted.headers["content-type"] ?? "", /^multipart\/form-data; boundary=/);
  assert.match(posted.body, /name="name"\r\n\r\nAda\r\n/);
  const redirected = await supervisor.fetch("/redirect");
  assert.equal(redirected.redirected, true);
  assert.equal(((await redirected.json()) as Echo).url, "/target?x=1");
  assert.deepEqual(supervisor.inspect().addresses, []);
});

test("bodies stream in both directions", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  let end = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("begun"));
      end = () => controller.close();
    },
  });
  const response = await embedded.supervisor.fetch("/stream", { method: "POST", body });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const text = async () => new TextDecoder().decode((await reader.read()).value);
  assert.equal(await text(), "first,");
  end();
  assert.equal(await text(), "last");
});

test("an abort rejects, and the app's request is closed", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const { supervisor } = embedded;
  await supervisor.fetch("/").then((response) => response.text());
  const controller = new AbortController();
  const hanging = supervisor.fetch("/hang", { signal: controller.signal });
  setImmediate(() => controller.abort());
  await assert.rejects(hanging, { name: "AbortError" });
  await assert.rejects(supervisor.fetch("/", { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("300 edits, each followed at once by a fetch: none is stale", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const stale: number[] = [];
  await embedded.supervisor.fetch("/").then((response) => response.text());
  for (let edit = 0; edit < 300; edit++) {
    embedded.app.write("text.js", `export const text = "edit${edit}";\n`);
    if ((await echo(embedded.supervisor.fetch("/"))).text !== `edit${edit}`) stale.push(edit);
  }
  assert.deepEqual(stale, []);
});

test("broken code is answered with the failure page, a closed supervisor with an error", async () => {
  await using embedded = new EmbeddedApp({ ...app, "text.js": "export const" }, "app.js");
  const broken = await embedded.supervisor.fetch("/");
  assert.equal(broken.status, 500);
  assert.match(await broken.text(), /text\.js:1/);
  embedded.app.write("text.js", app["text.js"]);
  assert.equal((await embedded.supervisor.fetch("/")).status, 200);
  await embedded.supervisor.close();
  await assert.rejects(embedded.supervisor.fetch("/"), { code: "ERR_UNRELOADER_CLOSED" });
});

test("listen opens the port it is given for an exported app, and for one that listens itself", async () => {
  const own = `import http from "node:http";
import { text } from "./text.js";
http.createServer((req, res) => res.end(JSON.stringify({ text }))).listen(1, "127.0.0.1");
`;
  for (const source of [app["app.js"], own]) {
    await using embedded = new EmbeddedApp({ ...app, "app.js": source }, "app.js");
    const { supervisor } = embedded;
    const listening: unknown[] = [];
    supervisor.on("listening", (report) => listening.push(report.port));
    const address = (await supervisor.listen(0, "127.0.0.1")) as net.AddressInfo;
    const ask = async () => (JSON.parse((await requestOnce(`http://127.0.0.1:${address.port}/`)).body) as Echo).text;
    assert.equal(await ask(), "one");
    embedded.app.edit("text.js", "one", "two");
    assert.equal(await ask(), "two");
    embedded.app.append("app.js", "// edited\n");
    assert.equal(await ask(), "two");
    assert.deepEqual(supervisor.inspect().addresses, [address]);
    assert.deepEqual(listening, [address.port]);
    await assert.rejects(supervisor.listen(0), { code: "ERR_UNRELOADER_LISTENING" });
    assert.equal((await echo(supervisor.fetch("/"))).text, "two");
  }
});

test("listen after a fetch opens a port for the app that runs, and rejects on one that is taken", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const { supervisor } = embedded;
  assert.equal((await echo(supervisor.fetch("/"))).text, "one");
  const taken = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as net.AddressInfo;
  await assert.rejects(supervisor.listen(port), { code: "EADDRINUSE" });
  await new Promise((resolve) => taken.close(resolve));
  await supervisor.listen(port);
  assert.equal(supervisor.inspect().epoch, 1);
  assert.equal((JSON.parse((await requestOnce(`http://127.0.0.1:${port}/`)).body) as Echo).text, "one");
});

test("listen rejects on a taken port before the app is loaded, and can be called again", async () => {
  await using embedded = new EmbeddedApp(app, "app.js");
  const taken = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as net.AddressInfo;
  await assert.rejects(embedded.supervisor.listen(port, "127.0.0.1"), { code: "EADDRINUSE" });
  await new Promise((resolve) => taken.close(resolve));
  await embedded.supervisor.listen(0, "127.0.0.1");
  assert.equal(embedded.supervisor.inspect().addresses.length, 1);
});

test("several supervisors in one process, of one app even, do not know of each other, and leave nothing", async () => {
  const leftovers = watchLeftovers();
  {
    await using first = new EmbeddedApp(app, "app.js");
    await using second = new EmbeddedApp({ ...app, "text.js": `export const text = "other";\n` }, "app.js");
    await using twin = new EmbeddedApp(app, "app.js", { entry: first.app.path("app.js") });
    const texts = async () =>
      Promise.all([first, second, twin].map(async ({ supervisor }) => (await echo(supervisor.fetch("/"))).text));
    assert.deepEqual(await texts(), ["one", "other", "one"]);
    first.app.edit("text.js", "one", "two");
    assert.deepEqual(await texts(), ["two", "other", "two"]);
    await first.supervisor.close();
    await first.supervisor.close();
    first.app.edit("text.js", "two", "three");
    assert.equal((await echo(twin.supervisor.fetch("/"))).text, "three");
    assert.equal((await echo(second.supervisor.fetch("/"))).text, "other");
  }
  await leftovers.check();
});
