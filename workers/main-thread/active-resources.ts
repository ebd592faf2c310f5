/** `process.getActiveResourcesInfo()` and `process._getActiveHandles()` without what is the supervisor's own, and with the app's servers as what they are to it. */
import { Socket } from "node:net";
import { replaceMethod } from "../ledger/replace.js";
import { ownerOf } from "../listener/relayed-socket.js";
import { UpstreamListener } from "../listener/virtual-server.js";
import { activeHandles, openPorts } from "../loop-hold.js";

/** To be called before the app runs. */
export function hideOwnResources(hasWorkers: () => boolean): void {
  // The pool has two in this thread, the supervisor one.
  const own = openPorts();
  replaceMethod(process as unknown as { _getActiveHandles(): unknown[] }, "_getActiveHandles", () => () => {
    const hidden = new Set<unknown>(own);
    return activeHandles()
      .filter((handle) => !hidden.has(handle))
      .map((handle) => (handle instanceof UpstreamListener ? handle.shown : handle));
  });
  replaceMethod(process, "getActiveResourcesInfo", (original) => () => {
    const handles = activeHandles();
    // The front has the TCP sockets; what the thread has in their place are pipes.
    const inTheirPlace = [
      ...handles.filter((handle) => handle instanceof UpstreamListener).map(() => "TCPServerWrap"),
      ...handles.filter((handle) => handle instanceof Socket && ownerOf(handle)).map(() => "TCPSocketWrap"),
    ];
    // A thread with workers has one more that a main thread has not.
    let ports = own.filter((port) => port.hasRef()).length + (hasWorkers() ? 1 : 0);
    return (original.call(process) as string[]).flatMap((name) => {
      if (name === "MessagePort" && ports > 0) {
        ports--;
        return [];
      }
      return name === "PipeWrap" || name === "PipeServerWrap" ? (inTheirPlace.shift() ?? name) : name;
    });
  });
}
