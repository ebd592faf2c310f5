/** The commands that agents use, as tools of the Model Context Protocol. Pure. */
import path from "node:path";

interface Schema {
  readonly type: "object";
  readonly properties: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Schema;
  readonly annotations?: { readonly readOnlyHint?: boolean; readonly destructiveHint?: boolean };
}

const text = (description: string) => ({ type: "string", description });
const number = (description: string) => ({ type: "number", description });
const timeoutMs = number("milliseconds; default 30000");
const file = text("path, absolute or relative to the project");

function tool(name: string, description: string, properties: Schema["properties"] = {}, required?: string[]): Tool {
  const isReading = !["reload", "restart", "hold", "release", "call", "request"].includes(name);
  return {
    name,
    description,
    inputSchema: { type: "object", properties, ...(required && { required }) },
    annotations: { readOnlyHint: isReading, destructiveHint: false },
  };
}

export const TOOLS: readonly Tool[] = [
  tool("status", "What runs: phase, generation, addresses, and why the newest code does not run."),
  tool(
    "wait",
    "Call it after editing files: waits until what runs contains them as they are now (verdict live), or has refused them (failed, with the error, its place, source frame, and whether your last edit has brought it).",
    { files: { type: "array", items: file, description: "files that you have edited; default: all" }, timeoutMs },
  ),
  tool("hold", "Before editing several files: saves wait, and requests get the last good generation, until release.", {
    forMs: number("milliseconds after which it ends by itself"),
  }),
  tool("release", "After hold: what was saved meanwhile is one reload; gives the verdict as wait does.", { timeoutMs }),
  tool("reload", "Checks now, and applies what has changed.", { timeoutMs }),
  tool("restart", "Takes a fresh worker: all modules and packages are loaded again.", { timeoutMs }),
  tool("errors", "Errors of starts, reloads and of the app, each with the generation in which it first came.", {
    sinceGeneration: number("only those that came in this generation or later"),
  }),
  tool("logs", "The newest lines that the app and the supervisor have written.", {
    sinceGeneration: number("only those of this generation or later"),
  }),
  tool("why", "Why a file was loaded last.", { file }, ["file"]),
  tool("plan", "What an edit of a file would reload, before you make it.", { file }, ["file"]),
  tool(
    "request",
    "A request to the app, answered by the newest code.",
    {
      method: text("such as GET"),
      url: text("path such as /users?page=2"),
      headers: {
        type: "array",
        items: { type: "array", items: { type: "string" } },
        description: "pairs of name and value",
      },
      body: text("text of the body"),
      timeoutMs,
    },
    ["method", "url"],
  ),
  tool(
    "call",
    "Runs a function that the app's entry exports.",
    { name: text("of the function"), args: { type: "array", description: "its arguments" }, timeoutMs },
    ["name"],
  ),
  tool("explain-leak", "What keeps old code alive; takes a heap snapshot, during which the app stands still."),
];

/** The question to the supervisor that a call of a tool stands for. */
export function questionOf(name: string, given: Readonly<Record<string, unknown>>, root: string) {
  const placed = (value: unknown): unknown => (typeof value === "string" ? path.resolve(root, value) : value);
  return {
    ...(name === "call" && { args: [] }),
    ...given,
    ...("file" in given && { file: placed(given.file) }),
    ...(Array.isArray(given.files) && { files: given.files.map(placed) }),
    command: name,
  };
}
