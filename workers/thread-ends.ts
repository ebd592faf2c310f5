/** The ends of the thread that the app brings about: main is told, and nothing is read on. */
import type { BootOrder } from "../src/common/protocol/orders.js";
import type { Heart } from "./heartbeat.js";
import { closeInspector } from "./inspector.js";
import type { VirtualListen } from "./listener/virtual-listen.js";
import { MainThreadView, type MainThreadViewOptions } from "./main-thread/main-thread-view.js";
import { adaptProcess } from "./process.js";
import { stopReading } from "./stop-reading.js";
import type { StandardStreams } from "./streams/standard-streams.js";
import type { ThreadReports } from "./thread-reports.js";
import { type OwnText, reportUncaught, uncaughtText, versionText, writeUncaught } from "./uncaught-text.js";

export interface EndsOptions extends Omit<MainThreadViewOptions, "onAbort"> {
  readonly reports: ThreadReports;
  readonly streams: StandardStreams;
  readonly heart: Heart;
  /** It comes to be later. */
  readonly listen: () => VirtualListen;
  /** Of an own file. */
  textOf(file: string): OwnText | undefined;
  /** The thread is about to end: `byItself`, or because the app says so, or has crashed. Returns a code of our own for it. */
  ending(byItself: boolean): number | undefined;
}

/** To be called before anything else replaces functions of Node's. */
export function reportEnds({ script, args, startedWith, variables }: BootOrder, options: EndsOptions): MainThreadView {
  const { reports, streams, heart, listen, textOf, ending } = options;
  const cutOff = (): void => {
    ending(false);
    heart.end();
    streams.input?.leave(true);
    listen().endSessions();
    stopReading();
    // The thread must not wait for debuggers.
    closeInspector();
  };
  const onCrash = (error: unknown): void => {
    reports.send({ type: "crashed", error: reports.serialize(error) });
    cutOff();
  };
  const printUncaught = (error: unknown): void => {
    const isOwn = !streams.ofNode().includes(2);
    // Where the process is the host's, it is for the host to tell.
    if (!isOwn && streams.input === undefined) return;
    const write = (text: string) =>
      isOwn ? writeUncaught(text, (bytes) => streams.words.written(2, bytes)) : void process.stderr.write(text);
    write(uncaughtText(error, reports.serialize(error).location, textOf));
    reportUncaught(error);
    write(versionText());
  };
  const view = new MainThreadView({ ...options, onAbort: onCrash });
  adaptProcess({
    script,
    args,
    startedWith,
    variables,
    onExit: (code) => {
      reports.send({ type: "exitRequested", code });
      cutOff();
    },
    onEnd: () => ending(true),
    onCrash,
    onTaken: () => listen().mayEnd(),
    print: printUncaught,
    onWorker: () => view.workerMade(),
  });
  return view;
}
