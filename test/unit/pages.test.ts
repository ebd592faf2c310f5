/** The pages that the supervisor says in place of the app: which form a client gets, what it may see, and what is escaped. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { wantedForm } from "../../src/common/page/accept.js";
import { escapeHtml } from "../../src/common/page/escape-html.js";
import { isLoopback } from "../../src/common/page/loopback.js";
import { answerOf, plainPage } from "../../src/common/page/written-page.js";
import { visibleLines } from "../../src/common/visible-text.js";
import { OwnPages } from "../../src/front/own-pages.js";
import type { OwnPage } from "../../src/pages/own-page.js";
import { sourceExcerpt } from "../../src/pages/source-excerpt.js";
import { sourceTokens, tokenLines } from "../../src/pages/source-tokens.js";
import { groupFrames, stackFrames } from "../../src/pages/stack-frames.js";
import { writePage } from "../../src/pages/write-page.js";
import { type Random, randomSource } from "../support/random.js";

const style = { cwd: "/app", hasPanel: true };

test("the form of a page is what Accept wants most: text for anything, HTML for browsers", () => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, "text"],
    ["", "text"],
    ["*/*", "text"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "html"],
    ["text/html", "html"],
    ["TEXT/HTML ; Q=0.5", "html"],
    ["application/json", "json"],
    ["application/json, text/plain, */*", "json"],
    ["application/problem+json", "json"],
    ["application/vnd.api+json;q=0.9, text/html;q=0.8", "json"],
    ["text/plain, text/html", "text"],
    ["text/html, text/plain", "html"],
    ["text/html;q=0.4, application/json;q=0.5", "json"],
    ["text/html;q=0, */*", "text"],
    ["text/plain;q=0, */*", "html"],
    ["text/*;q=0.2, application/json;q=0.1", "text"],
    ["text/*, text/plain;q=0", "html"],
    ["image/avif,image/webp,*/*;q=0.8", "text"],
    ["text/event-stream", "text"],
    ["text/html;q=nonsense, application/json;q=0.1", "json"],
    [",;,", "text"],
  ];
  for (const [accept, form] of cases) assert.equal(wantedForm(accept), form, String(accept));
});

test("a client is local by the address of its connection", () => {
  for (const address of ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"]) assert.ok(isLoopback(address), address);
  for (const address of [undefined, "", "10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1.evil.com", "fe80::1", "::"])
    assert.ok(!isLoopback(address), address);
});

test("what a terminal or a browser would obey is shown", () => {
  assert.equal(visibleLines("a\x1b[31m\tb\r\nc\u202ed\u0085"), "a\\x1b[31m\tb\nc\\u202ed\\x85");
  assert.equal(escapeHtml(`<a href="x" title='y'>&`), "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;");
});

const SOURCE = `const a = /[/"]\\/x/g.test("b") ? 1_000n / 2 : \`t \${"a"}
\` // end
/* two
lines */ export async function* f(): Promise<void> { return x / y / z; }`;

test("the tokens of a text are the text, line by line too", () => {
  const kinds = sourceTokens(SOURCE).map(({ kind, text }) => `${kind}:${text}`);
  for (const found of [
    "keyword:const",
    'string:/[/"]\\/x/g',
    'string:"b"',
    "number:1_000n",
    "comment:// end",
    "other:/",
  ])
    assert.ok(kinds.includes(found), found);
  assert.ok(kinds.includes("comment:/* two\nlines */"));
  const random = randomSource("pages");
  for (let round = 0; round < 500; round++) {
    const text = hostileText(random, 60);
    const joined = (tokens: readonly { text: string }[]) => tokens.map((token) => token.text).join("");
    assert.equal(joined(sourceTokens(text)), text);
    assert.equal(tokenLines(text).map(joined).join("\n"), text);
  }
});

test("an excerpt has more lines than the frame only while the file is as it was", () => {
  const frame = "  3 | c\n> 4 | \td\n    | \t^\n  5 | e";
  const location = { file: "/app/x.ts", line: 4, column: 2 };
  const numbers = (text: string | undefined) => sourceExcerpt(frame, location, text)?.lines.map(({ number }) => number);
  assert.deepEqual(numbers("a\nb\nc\n\td\ne\nf"), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(numbers("a\nb\nc\nD\ne\nf"), [3, 4, 5]);
  assert.deepEqual(numbers(undefined), [3, 4, 5]);
  assert.equal(sourceExcerpt(frame, location, undefined)?.indent, "\t");
});

test("a stack is folded where it is not the app's own", () => {
  const stack = `Error: x
    at load (file:///app/a%20b.ts:10:11)
    at async Promise.all (index 0)
    at Module._compile (node:internal/modules/cjs/loader:1554:14)
    at next (/app/node_modules/@s/p/lib/x.js:1:2)
    at /app/main.js:3:4`;
  const groups = groupFrames(stackFrames(stack)).map((group) =>
    group.map(({ of }) => (of.type === "package" ? of.name : of.type)),
  );
  assert.deepEqual(groups, [["own", "own"], ["node", "@s/p"], ["own"]]);
  assert.deepEqual(stackFrames(stack)[0]?.location, { file: "/app/a b.ts", line: 10, column: 11 });
});

const HOSTILE = [..."<>&\"'`/\\\x1b\x07\n\t\u202e$(){}abc "].concat([
  "</script>",
  "<!--",
  "-->",
  "]]>",
  "javascript:",
  "at x (y:1:2)",
]);

function hostileText(random: Random, length: number): string {
  return Array.from({ length }, () => random.pick(HOSTILE)).join("");
}

/** Every tag that our own pages have. */
const OWN_TAGS =
  /^(?:!doctype|html|head|meta|title|style|noscript|body|form|header|main|footer|p|span|h1|h2|h3|figure|figcaption|button|code|pre|i|b|section|ol|li|details|summary|time|script|a)$/;

test("whatever an app's names, messages and sources hold, the HTML has our own tags only", () => {
  const random = randomSource("pages");
  const text = () => hostileText(random, 12);
  const tagsOf = (html: string) =>
    [...html.replace(/<(style|script)>[\s\S]*?<\/\1>/g, "<$1></$1>").matchAll(/<\/?([^\s>/]*)[^>]*>/g)].map(
      ([, name]) => name ?? "",
    );
  for (let round = 0; round < 200; round++) {
    const file = `/app/${text()}.ts`;
    const cause = { name: text(), message: text(), stack: `x\n    at ${text()} (${file}:1:1)` };
    const frame = `> 1 | ${text().replaceAll("\n", "")}\n    | ^`;
    const error = {
      name: text(),
      message: text(),
      location: { file, line: 1, column: 1 },
      frame,
      stack: `${text()}\n    at ${text()}`,
      cause,
    };
    const report = {
      kind: "failed",
      code: "UR90",
      outcome: "failed",
      edits: [],
      generation: 3,
      epoch: 1,
      changed: [file],
      purged: [],
      loaded: [],
      why: {},
      kept: 1,
      durationMs: 1,
      error,
      importedBy: [`/app/${text()}`],
      lastLines: [text(), text()],
    } as unknown as NonNullable<OwnPage["failure"]>["report"];
    const page: OwnPage = {
      status: 500,
      text: text(),
      error,
      failure: { report, onError: "page", age: { isNew: true, sinceGeneration: 3 } },
    };
    const { details } = writePage(page, style);
    for (const tag of tagsOf(details.html)) assert.match(tag, OWN_TAGS, details.html);
    assert.equal(details.html.split("<script>").length, 2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none is there
    for (const form of [details.html, details.text]) assert.doesNotMatch(form, /[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.equal((JSON.parse(details.json) as { error: { message: string } }).error.message, error.message);
  }
});

const SECRET: OwnPage = {
  status: 500,
  text: "/app/secret.ts:1:1 DB_PASSWORD\n",
  error: { name: "Error", message: "DB_PASSWORD", location: { file: "/app/secret.ts", line: 1, column: 1 } },
};

test("only a connection from this machine gets message, paths and source, whatever it says of itself", async () => {
  const pages = new OwnPages(style);
  for (const [address, isLocal] of [
    ["127.0.0.1", true],
    ["192.0.2.7", false],
  ] as const) {
    for (const accept of ["text/html", "text/plain", "application/json"]) {
      const answer = await ask(
        pages,
        address,
        `GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\nAccept: ${accept}\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 500 /);
      assert.match(answer, new RegExp(`content-type: ${accept}`));
      assert.match(answer, /x-content-type-options: nosniff/);
      assert.match(answer, /cache-control: no-store/);
      assert.equal(/secret|DB_PASSWORD/.test(answer), isLocal, answer);
      if (accept === "text/html") assert.match(answer, /content-security-policy: default-src 'none';/);
    }
    assert.equal(/secret|DB_PASSWORD/.test(pages.raw(SECRET, { remoteAddress: address } as Socket)), isLocal);
  }
  pages.close();
});

/** The answer to `request` on a connection from `address`. */
async function ask(pages: OwnPages, address: string, request: string): Promise<string> {
  const chunks: Buffer[] = [];
  const client = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  Object.assign(client, { remoteAddress: address, localAddress: "127.0.0.1" });
  pages.serve(client as Socket, [Buffer.from(request)], SECRET);
  await once(client, "finish");
  client.destroy();
  return Buffer.concat(chunks).toString();
}

test("a page is asked for again by itself, but not for a request that changes something, nor one that kills the worker", () => {
  const html = (status: OwnPage["status"], method: string, isLocal: boolean) =>
    answerOf(writePage({ status, text: "x\n" }, style), { method, accept: "text/html", isLocal }).body;
  for (const isLocal of [true, false]) {
    assert.match(html(500, "GET", isLocal), /http-equiv="refresh"/);
    for (const body of [html(500, "POST", isLocal), html(502, "GET", isLocal)])
      assert.doesNotMatch(body, /http-equiv="refresh"|data-repeat/);
  }
  assert.match(html(500, "GET", true), /data-repeat="yes"/);
  const brief = answerOf(plainPage(503, "later\n"), { method: "GET", accept: undefined, isLocal: false });
  assert.deepEqual([brief.body, brief.headers["retry-after"]], ["later\n", "1"]);
});
