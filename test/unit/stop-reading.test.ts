/** What a thread that is about to end has at hand is not read. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { stopReading } from "../../workers/stop-reading.js";

test("bytes that arrive after the end has begun are not read, whatever else is", async () => {
  const read: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      read.push(String(bytes));
      socket.write("read");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const clients: Socket[] = [];
  const client = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    clients.push(socket);
    await once(socket, "connect");
    return socket;
  };
  try {
    const before = await client();
    before.write("before");
    await once(before, "data");
    stopReading();
    before.write("too late");
    // A connection that comes later is read: by then the loop has looked at the first one as well.
    const later = await client();
    later.write("later");
    await once(later, "data").catch(() => {});
    assert.deepEqual(read, ["before", "later"]);
  } finally {
    for (const socket of clients) socket.destroy();
    server.close();
  }
});
