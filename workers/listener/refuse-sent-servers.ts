/**
 * `child.send(message, server)`: Node would hand the process the handle of the server, and a virtual one has none that another
 * process could accept on. Given to Node, it ends the whole process by a signal.
 */
import childProcess from "node:child_process";
import { Server } from "node:net";
import { UnreloaderError } from "../../src/common/errors.js";
import { replaceMethod } from "../ledger/replace.js";
import { serverInternals } from "./node-internals.js";
import { VirtualHandle } from "./virtual-handle.js";

type Method = (this: object, ...args: unknown[]) => unknown;

/** For as long as the thread lives. Every way to start a process comes to `spawn` of its class. */
export function refuseSentServers(): void {
  const { ChildProcess } = childProcess as unknown as { ChildProcess: { prototype: { spawn: Method } } };
  replaceMethod(
    ChildProcess.prototype,
    "spawn",
    (original) =>
      function (this: unknown, ...args) {
        const result = Reflect.apply(original, this, args) as unknown;
        guard(this as { send?: Method });
        return result;
      },
  );
}

/** A process without a channel has no `send`. */
function guard(child: { send?: Method }): void {
  if (!child.send) return;
  replaceMethod(
    child,
    "send",
    (original) =>
      function (this: unknown, ...args) {
        const [, sent] = args;
        const handle = sent instanceof Server ? serverInternals(sent)._handle : sent;
        if (handle instanceof VirtualHandle) throw refusal();
        return Reflect.apply(original, this, args);
      },
  );
}

function refusal(): UnreloaderError {
  return new UnreloaderError(
    "ERR_UNRELOADER_SERVER_SENT",
    "a server that listens cannot be sent to a process: the supervisor holds its port. Sockets can be sent, and node:cluster " +
      "works; or start the app with --no-reload",
  );
}
