/**
 * Where requests end in the bytes of an HTTP/1 connection. Only asked when a connection moves from one server to another,
 * or its next request is about to begin: what the app gets is never parsed here. Pure, but for its own state.
 */

const CR = 13;
const LF = 10;
const HEAD_END = "\r\n\r\n";
/** Node refuses longer heads by itself; what is no request shall not be collected for ever. */
const MAX_HEAD_BYTES = 1024 * 1024;

type Phase =
  | { readonly type: "head"; text: string }
  /** A body of known length, or the bytes of one chunk with its line end. */
  | { readonly type: "bytes"; left: number; readonly last: boolean }
  /** The line that says how long the next chunk is. */
  | { readonly type: "chunk"; text: string }
  | { readonly type: "trailers"; text: string };

export class RequestScan {
  #phase: Phase = { type: "head", text: "" };

  /** In the body of a request. */
  get inBody(): boolean {
    return this.#phase.type !== "head";
  }

  /**
   * Goes on to the end of the present request, or of the bytes. `to`: where that is; `ended`: it is the end of a request,
   * and the next call begins another one.
   */
  go(bytes: Buffer): { readonly to: number; readonly ended: boolean } {
    // Most requests: a head without a body, in one piece.
    let at = 0;
    while (at < bytes.length) {
      const phase = this.#phase;
      if (phase.type === "bytes") {
        const taken = Math.min(phase.left, bytes.length - at);
        phase.left -= taken;
        at += taken;
        if (phase.left > 0) break;
        if (phase.last) return this.#end(at);
        this.#phase = { type: "chunk", text: "" };
        continue;
      }
      const end = phase.type === "head" ? this.#headEnd(phase, bytes, at) : lineEnd(bytes, at);
      const stop = end < 0 ? bytes.length : end;
      phase.text += bytes.toString("latin1", at, stop);
      at = stop;
      if (end < 0) {
        if (phase.text.length > MAX_HEAD_BYTES) this.#phase = { type: "head", text: "" };
        break;
      }
      if (this.#next(phase)) return this.#end(at);
    }
    return { to: at, ended: false };
  }

  reset(): void {
    this.#phase = { type: "head", text: "" };
  }

  #end(to: number): { to: number; ended: boolean } {
    this.reset();
    return { to, ended: true };
  }

  /** Index after the blank line that ends the head; below 0 when it is not there yet. */
  #headEnd(phase: { text: string }, bytes: Buffer, from: number): number {
    let at = from;
    // A line end before a request is no part of it.
    if (phase.text === "") while (at < bytes.length && (bytes[at] === CR || bytes[at] === LF)) at++;
    if (at === bytes.length) return -1;
    const before = phase.text.slice(-3);
    if (before !== "") {
      const joint = (before + bytes.toString("latin1", at, at + 3)).indexOf(HEAD_END);
      if (joint >= 0) return at + joint + HEAD_END.length - before.length;
    }
    const found = bytes.indexOf(HEAD_END, at, "latin1");
    return found < 0 ? -1 : found + HEAD_END.length;
  }

  /** What follows a head or a line that is whole; true when the request ends with it. */
  #next(phase: Exclude<Phase, { type: "bytes" }>): boolean {
    switch (phase.type) {
      case "head": {
        if (/\r\ntransfer-encoding:[^\r]*chunked/i.test(phase.text)) {
          this.#phase = { type: "chunk", text: "" };
          return false;
        }
        const left = Number(/\r\ncontent-length:[ \t]*(\d+)/i.exec(phase.text)?.[1] ?? 0);
        if (left === 0) return true;
        this.#phase = { type: "bytes", left, last: true };
        return false;
      }
      case "chunk": {
        const size = Number.parseInt(phase.text, 16);
        // The last chunk, or none at all.
        if (!(size > 0)) this.#phase = { type: "trailers", text: "" };
        else this.#phase = { type: "bytes", left: size + 2, last: false };
        return false;
      }
      case "trailers":
        if (phase.text.trim() === "") return true;
        phase.text = "";
        return false;
      default:
        return phase satisfies never;
    }
  }
}

/** Index after the next line feed; below 0 when there is none. */
function lineEnd(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(LF, from);
  return at < 0 ? -1 : at + 1;
}
