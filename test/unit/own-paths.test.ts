/** What is the supervisor's own below `/__unreloader/`, who may ask it, and for what. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { isLocalHost } from "../../src/common/page/loopback.js";
import { isForOwn } from "../../src/front/own-path.js";
import { type Caller, refusalOf } from "../../src/panel/caller-check.js";
import { placeToOpen } from "../../src/panel/open-editor.js";
import { parseWanted, unreadyReason, type Wanted } from "../../src/panel/ready.js";

test("a request is the supervisor's own by its method and its whole path, and by nothing that is like it", () => {
  const cases: readonly (readonly [string, boolean | "part"])[] = [
    ["GET /__unreloader/ HTTP/1.1\r\n", true],
    ["GET /__unreloader/live HTTP/1.1\r\n", true],
    ["HEAD /__unreloader/ready?timeout=1 HTTP/1.1\r\n", true],
    ["POST /__unreloader/?open=x HTTP/1.1\r\n", true],
    ["GET /__unreloader HTTP/1.1\r\n", false],
    ["GET /__unreloader/other HTTP/1.1\r\n", false],
    ["GET /__unreloader/live/x HTTP/1.1\r\n", false],
    ["GET /__unreloader//live HTTP/1.1\r\n", false],
    ["GET /_ HTTP/1.1\r\n", false],
    ["GET / HTTP/1.1\r\n", false],
    ["PUT /__unreloader/live", "part"],
    ["PUT /__unreloader/live2", "part"],
    ["PUT /__unreloader/livelive", false],
    ["", false],
    ["DELETE /__unreloader/live HTTP/1.1\r\n", true],
    ["GET /__unrel", "part"],
    ["GET /__unreloader/ready?tim", true],
    ["GET /_", "part"],
    ["GET /_x", false],
    ["GET /", false],
    ["GE", false],
    [`GET /__unreloader/${"x".repeat(5000)}`, false],
  ];
  for (const [bytes, is] of cases) {
    assert.equal(isForOwn([Buffer.from(bytes)]), is, bytes.slice(0, 60));
    assert.equal(isForOwn([...bytes].map((byte) => Buffer.from(byte))), is, bytes.slice(0, 60));
  }
  assert.equal(isForOwn([]), false);
});

test("who may ask is on this machine, by its connection, its Host, its Origin and the site that asks", () => {
  const refused = (headers: Caller["headers"], method = "GET", isLocal = true) =>
    refusalOf({ method, headers, isLocal }) !== undefined;
  const host = "localhost:3000";
  for (const allowed of [
    { host },
    { host: "127.0.0.1:3000" },
    { host: "[::1]:3000" },
    { host: "app.localhost" },
    { host, origin: "http://localhost:3000" },
    { host, origin: "https://LOCALHOST:3000" },
    { host, "sec-fetch-site": "same-origin" },
    { host, "sec-fetch-site": "none" },
    { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
    { ":authority": host },
  ])
    assert.ok(!refused(allowed), JSON.stringify(allowed));
  for (const wrong of [
    {},
    { host: "evil.com" },
    { host: "localhost.evil.com" },
    { host: "127.0.0.1.evil.com:3000" },
    { host: "192.168.1.2:3000" },
    { host, origin: "null" },
    { host, origin: "http://evil.com" },
    { host, origin: "http://localhost:4000" },
    { host, origin: "file://" },
    { host, "sec-fetch-site": "same-site" },
    { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
    { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
  ])
    assert.ok(refused(wrong), JSON.stringify(wrong));
  assert.ok(refused({ host }, "GET", false));
  assert.ok(refused({ host }, "POST"), "no other site can send a POST without an Origin, but programs can");
  assert.ok(!refused({ host, origin: "http://localhost:3000" }, "POST"));
  assert.ok(isLocalHost("LOCALHOST") && !isLocalHost("") && !isLocalHost("local host"));
});

test("ready says what does not fit, and why what runs is not what was asked for", () => {
  const parse = (query: string) => parseWanted(new URLSearchParams(query));
  assert.deepEqual(parse("generation=3&content=0123456789abcdef&timeout=50"), {
    generation: 3,
    content: "0123456789abcdef",
    timeoutMs: 50,
  });
  for (const wrong of ["generation=-1", "generation=x", "content=zz", "timeout=soon", "timeout=1e9", "generatoin=1"])
    assert.equal(typeof parse(wrong), "string", wrong);
  const state = { live: true, phase: "running", generation: 3, content: "a", error: null } as const;
  const wanted: Wanted = { generation: 3, content: "a", timeoutMs: 0 };
  assert.equal(unreadyReason(state, wanted), undefined);
  assert.match(String(unreadyReason({ ...state, generation: 2 }, wanted)), /generation 2 runs, and 3/);
  assert.match(String(unreadyReason({ ...state, content: "b" }, wanted)), /content b runs, and a/);
  assert.match(String(unreadyReason({ ...state, live: false }, wanted)), /about to be taken in/);
  const error = {
    name: "E",
    message: "bad",
    file: "/x.ts",
    line: 1,
    column: 2,
    importedBy: [],
    sinceGeneration: 3,
    isNew: true,
  };
  assert.match(String(unreadyReason({ ...state, live: false, phase: "failed", error }, wanted)), /\/x\.ts:1:2\): bad/);
});

test("only files of the project can be opened in an editor", () => {
  const root = mkdtempSync(path.join(tmpdir(), "ur-open-"));
  try {
    mkdirSync(path.join(root, "src"));
    const file = path.join(root, "src", "a b:1.ts");
    writeFileSync(file, "");
    assert.deepEqual(placeToOpen(`${file}:3:4`, root), { file, line: 3, column: 4 });
    for (const wrong of [
      file,
      `${file}:x:1`,
      `${root}/src/none.ts:1:1`,
      `${root}/src/../../etc/passwd:1:1`,
      "/etc/passwd:1:1",
      "src/a.ts:1:1",
      "",
    ])
      assert.equal(placeToOpen(wrong, root), undefined, wrong);
  } finally {
    rmSync(root, { recursive: true });
  }
});
