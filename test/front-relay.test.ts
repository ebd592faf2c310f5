import assert from "node:assert/strict";
import type net from "node:net";
import { test } from "node:test";
import { requestOnce } from "./support/http-client.js";
import { RelayedApp } from "./support/relayed-app.js";

test("a server without a host listens as soon as listen() returns, on the port that clients use", async () => {
  await using app = await RelayedApp.start(`
    const http = require("node:http");
    const server = http.createServer((req, res) => res.end("one")).listen(0);
    report([server.listening, server.address()]);
  `);
  const [listening, address] = app.reported[0] as [boolean, net.AddressInfo];
  assert.equal(listening, true);
  assert.equal(address.port, app.port);
  assert.equal((await requestOnce(`http://127.0.0.1:${app.port}/`)).body, "one");
});
