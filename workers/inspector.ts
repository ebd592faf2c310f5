/**
 * The debugger's way into the app. The thread has an inspector of its own (20.19, 22, 24 and 26: measured), so that every
 * client of the protocol reaches the app at once, and needs to know nothing of worker threads.
 */
import inspector from "node:inspector";

/** Node says by itself where it listens. Returns what went wrong, for people; undefined when nothing did. */
export function openInspector({ host, port }: { readonly host: string; readonly port: number }): string | undefined {
  if (inspector.url() !== undefined) return undefined;
  inspector.open(port, host);
  // It does not throw when the port is taken.
  if (inspector.url() !== undefined) return undefined;
  return `no debugger can attach: ${host}:${port} could not be opened; the app runs without`;
}

/**
 * To be called before the thread ends: a thread waits for every attached client to go by itself, and clients need not.
 * Those that are attached are cut off.
 */
export function closeInspector(): void {
  if (inspector.url() !== undefined) inspector.close();
}
