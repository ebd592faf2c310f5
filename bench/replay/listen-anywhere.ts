/**
 * Preloaded into the plain process that a replay compares with: its servers take any free port, since the same app runs
 * beside it, and the first one says which on the descriptor 3.
 */
import { writeSync } from "node:fs";
import net from "node:net";

const REPORT = 3;
const { listen } = net.Server.prototype;
let isReported = false;

net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]): net.Server {
  this.once("listening", () => {
    const address = this.address();
    if (isReported || address === null || typeof address === "string") return;
    isReported = true;
    writeSync(REPORT, `${address.port}\n`);
  });
  return Reflect.apply(listen, this, withoutPort(args)) as net.Server;
};

function withoutPort([first, ...others]: readonly unknown[]): unknown[] {
  if (typeof first === "number" || (typeof first === "string" && /^\d+$/.test(first))) return [0, ...others];
  if (typeof first !== "object" || first === null || !("port" in first)) return [first, ...others];
  return [{ ...first, port: 0 }, ...others];
}
