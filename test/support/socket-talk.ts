/** A message and its answer, over a connection of its own that is upgraded from HTTP. */
import { io } from "socket.io-client";
import { WebSocket } from "ws";
import { DEADLINE_MS, within } from "./deadline.js";

export type SocketKind = "ws" | "socket.io";

/** What the app at `origin` answers. */
export function talk(origin: string, kind: SocketKind): Promise<string> {
  return kind === "ws" ? talkOverWs(origin) : talkOverSocketIo(origin);
}

async function talkOverWs(origin: string): Promise<string> {
  const socket = new WebSocket(origin.replace("http", "ws"));
  const answer = new Promise<string>((resolve, reject) => {
    socket.once("open", () => socket.send("ask"));
    socket.once("message", (message) => resolve(String(message)));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the WebSocket was closed")));
  });
  try {
    return await within(answer, "the answer over a WebSocket");
  } finally {
    socket.terminate();
  }
}

async function talkOverSocketIo(origin: string): Promise<string> {
  const client = io(origin, { transports: ["websocket"], forceNew: true, reconnection: false });
  const connected = new Promise<void>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("connect_error", reject);
  });
  try {
    await within(connected, "the socket.io connection");
    return await client.timeout(DEADLINE_MS).emitWithAck("ask");
  } finally {
    client.close();
  }
}
