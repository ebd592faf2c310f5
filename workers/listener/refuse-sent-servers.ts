/**
 * `child.send(message, server)`: Node would hand the process the handle of the server, and a virtual one has none that another
 * process could accept on. Given to Node, it ends the whole process by a signal.
 */
import childProcess from "node:child_process";
import { Server } from "node:net";
import { UnreloaderError } from "../../src/common/errors.js";
import { serverInternals } from "./node-internals.js";
import { VirtualHandle } from "./virtual-handle.js";

type Method = (this: object, ...args: unknown[]) => unknown;

/** For as long as the thread lives. Every way to start a process comes to `spawn` of its class. */
export function refuseSentServers(): void {
  const { ChildProcess } = childProcess as unknown as { ChildProcess: { prototype: { spawn: Method } } };
  const { prototype } = ChildProcess;
  const { spawn: original } = prototype;
  prototype.spawn = function spawn(this: object, ...args: unknown[]): unknown {
    const result = original.apply(this, args);
    guard(this as { send?: Method });
    return result;
  };
}

/** A process without a channel has no `send`. */
function guard(child: { send?: Method }): void {
  const { send: original } = child;
  if (!original) return;
  child.send = function send(this: object, message: unknown, handle: unknown, ...rest: unknown[]): unknown {
    if (handle instanceof Server && serverInternals(handle)._handle instanceof VirtualHandle) throw refusal();
    return original.call(this, message, handle, ...rest);
  };
}

function refusal(): UnreloaderError {
  return new UnreloaderError(
    "ERR_UNRELOADER_SERVER_SENT",
    "a server that listens cannot be sent to a process: the supervisor holds its port. Sockets can be sent, and node:cluster " +
      "works; or start the app with --no-reload",
  );
}
