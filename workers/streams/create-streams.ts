/** The standard streams of the app's thread; what the app writes, in any way, is kept for main. */
import type { WorkerReport } from "../../src/common/protocol/messages.js";
import type { BootOrder } from "../../src/common/protocol/orders.js";
import type { OutputDescriptor } from "../../src/common/protocol/stream-words.js";
import type { Heart } from "../heartbeat.js";
import { keepStream, keepWritten } from "../last-lines.js";
import type { Ledger } from "../ledger/ledger.js";
import type { Observer } from "../runtime/observer.js";
import { StandardStreams } from "./standard-streams.js";

interface Parts {
  readonly observer: Observer;
  readonly heart: Heart;
  /** Not there yet. */
  ledger(): Ledger;
  send(report: WorkerReport): void;
}

export interface WatchedStreams {
  readonly streams: StandardStreams;
  /** How often the app has written. */
  written(): number;
}

export function createStreams(
  { epoch, streams: order }: BootOrder,
  { observer, heart, ledger, send }: Parts,
): WatchedStreams {
  let writes = 0;
  const keep = (bytes: Uint8Array, descriptor: OutputDescriptor): void => {
    writes++;
    heart.board.write(bytes);
    streams.words.written(descriptor, bytes);
  };
  const streams: StandardStreams = new StandardStreams({
    order,
    epoch,
    nobodys: (run) => observer.nobodys(run),
    opened: (stream, descriptor) => void keepStream(stream, descriptor, keep),
    underWay: (descriptor, change) => heart.board.underWay(descriptor, change),
    reads: (does) => {
      heart.board.readsInput = does;
    },
    want: () => send({ type: "inputWanted" }),
    leave: (unread, isFinal) => send({ type: "inputLeft", unread, isFinal }),
    rest: () => send({ type: "inputRests" }),
    record: (what, undo) => void (observer.active && ledger().record(what, undo)),
  });
  streams.install();
  keepWritten(keep, streams.ofNode());
  return { streams, written: () => writes };
}
