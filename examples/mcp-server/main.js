/**
 * A server of the Model Context Protocol on stdin and stdout: the client keeps its session while you edit the tools. Lines of
 * unreloader go to stderr as soon as an app reads a pipe. In the client's settings:
 *   { "command": "npx", "args": ["unreloader", "main.js"] }
 * With the official SDK it is the same: keep `server.connect(new StdioServerTransport())` in a file that you seldom edit.
 */
import { createInterface } from "node:readline";
import { call, tools } from "./tools.js";

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name: "example", version: "1.0.0" },
  }),
  ping: () => ({}),
  "tools/list": () => ({ tools: tools() }),
  "tools/call": ({ name, arguments: given }) => ({ content: [{ type: "text", text: call(name, given) }] }),
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, method, params = {} } = JSON.parse(line);
  // Nobody waits for an answer to a notification.
  if (id === undefined) return;
  const message = { jsonrpc: "2.0", id };
  try {
    if (!Object.hasOwn(answers, method)) throw Object.assign(new Error(`no method ${method}`), { code: -32601 });
    console.log(JSON.stringify({ ...message, result: await answers[method](params) }));
  } catch (error) {
    console.log(JSON.stringify({ ...message, error: { code: error.code ?? -32603, message: error.message } }));
  }
});
