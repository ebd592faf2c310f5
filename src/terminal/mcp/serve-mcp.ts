/** `unreloader mcp`: the Model Context Protocol on stdin and stdout, by its official SDK. Each call finds the supervisor anew. */
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { FIND_MS } from "../../common/deadlines.js";
import { errorText, NoSupervisorError, OptionError } from "../../common/errors.js";
import { findAndAsk, Refused } from "../commands/find-and-ask.js";
import type { Outcome } from "../commands/outcome.js";
import { packageVersion } from "../package-version.js";
import { questionOf, TOOLS } from "./tools.js";

const SDK = "@modelcontextprotocol/sdk";

/** As much of the SDK as is used. */
interface Sdk {
  readonly Server: new (info: object, options: object) => McpServer;
  readonly StdioServerTransport: new () => object;
  readonly ListToolsRequestSchema: object;
  readonly CallToolRequestSchema: object;
}

interface McpServer {
  setRequestHandler(schema: object, handler: (request: CallRequest) => Promise<object>): void;
  connect(transport: object): Promise<void>;
  onclose?: () => void;
}

interface CallRequest {
  readonly params: { readonly name: string; readonly arguments?: Readonly<Record<string, unknown>> };
}

/** Resolves when the client has gone. */
export async function serveMcp(root: string, pid: number | undefined): Promise<undefined> {
  const { Server, StdioServerTransport, ListToolsRequestSchema, CallToolRequestSchema } = await loadSdk(root);
  const instructions =
    "The app of this project runs under unreloader, which reloads what is saved: never restart it by hand. " +
    "After an edit call wait; before an edit of several files call hold, and after it release.";
  const server = new Server(
    { name: "unreloader", version: packageVersion() },
    { capabilities: { tools: {} }, instructions },
  );
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: TOOLS }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => called(params, root, pid));
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
    process.stdin.once("end", resolve);
  });
  await server.connect(new StdioServerTransport());
  await closed;
  return undefined;
}

async function called(
  { name, arguments: given = {} }: CallRequest["params"],
  root: string,
  pid: number | undefined,
): Promise<object> {
  try {
    if (!TOOLS.some((tool) => tool.name === name)) {
      const names = TOOLS.map((tool) => tool.name).join(", ");
      throw new Refused(`unknown tool ${name}: there are ${names}`, 1);
    }
    // As `unreloader wait` does it: an app that was killed a moment ago may come again.
    const { timeoutMs } = given;
    const comesInMs = name === "wait" && typeof timeoutMs === "number" ? Math.max(timeoutMs, FIND_MS) : FIND_MS;
    const meant = { root, pid, comesInMs, remark: () => undefined };
    return resultOf(await findAndAsk(meant, questionOf(name, given, root)));
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof NoSupervisorError)) throw error;
    const exitCode = error instanceof Refused ? error.exitCode : 4;
    return { ...resultOf({ answer: { error: { message: error.message } }, exitCode }), isError: true };
  }
}

/** That the newest code has failed is an answer, and no failure of the tool. */
function resultOf({ answer, exitCode }: Outcome): object {
  const told = { ...(Array.isArray(answer) ? { leaks: answer } : answer), exitCode };
  return { content: [{ type: "text", text: JSON.stringify(told) }], structuredContent: told };
}

/** @throws OptionError that says how to install it. */
async function loadSdk(root: string): Promise<Sdk> {
  const parts = await Promise.all(["server/index.js", "server/stdio.js", "types.js"].map((name) => load(name, root)));
  return Object.assign({}, ...parts) as Sdk;
}

async function load(name: string, root: string): Promise<object> {
  const specifier = `${SDK}/${name}`;
  try {
    return (await import(specifier)) as object;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    // Of the project, where unreloader itself is installed elsewhere.
    const found = createRequire(path.join(root, "package.json")).resolve(specifier);
    return (await import(pathToFileURL(found).href)) as object;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new OptionError(`mcp needs the package ${SDK}: npm install --save-dev ${SDK} (${errorText(error)})`);
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND" || code === "ERR_PACKAGE_PATH_NOT_EXPORTED";
}
