/**
 * Preloaded into the plain process that a replay compares with: its servers take any free port, since the same app runs
 * beside it, and the first one says which on the descriptor 3, and which modules of the app are loaded.
 */
import { writeSync } from "node:fs";
import { type Debugger, Session } from "node:inspector";
import net from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";

const REPORT = 3;
const { listen } = net.Server.prototype;
let isReported = false;

net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]): net.Server {
  this.once("listening", () => {
    const address = this.address();
    if (isReported || address === null || typeof address === "string") return;
    isReported = true;
    writeSync(REPORT, `${JSON.stringify({ port: address.port, modules: ownModules() })}\n`);
  });
  return Reflect.apply(listen, this, withoutPort(args)) as net.Server;
};

function withoutPort([first, ...others]: readonly unknown[]): unknown[] {
  if (typeof first === "number" || (typeof first === "string" && /^\d+$/.test(first))) return [0, ...others];
  if (typeof first !== "object" || first === null || !("port" in first)) return [first, ...others];
  return [{ ...first, port: 0 }, ...others];
}

/** All scripts below the current folder that are no package's, relative to it. */
function ownModules(): string[] {
  const found = new Set<string>();
  const session = new Session();
  session.connect();
  session.on("Debugger.scriptParsed", ({ params: { url } }: { params: Debugger.ScriptParsedEventDataType }) => {
    const file = url.startsWith("file://") ? fileURLToPath(url) : url;
    const own = path.relative(process.cwd(), file);
    if (path.isAbsolute(file) && !own.startsWith("..") && !own.includes("node_modules")) found.add(own);
  });
  session.post("Debugger.enable");
  session.disconnect();
  return [...found].map((file) => file.replaceAll(path.sep, "/")).sort();
}
