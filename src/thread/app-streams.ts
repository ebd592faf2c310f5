/**
 * The standard streams of the process, as far as the app's threads have them. A process that was started for the app leaves
 * them to it. One that embeds an app keeps its input; what the app prints goes through the host's own streams, as of any
 * thread, unless those are a terminal or a file and nobody has put something in their place: then to the same descriptors.
 */
import tty from "node:tty";
import { isMainThread } from "node:worker_threads";
import type { StreamsOrder } from "../common/protocol/orders.js";
import { StreamWords } from "../common/protocol/stream-words.js";
import { InputTurns } from "./input-turns.js";

const OUTPUTS = ["stdout", "stderr"] as const;

export class AppStreams {
  readonly words = new StreamWords();
  /** Undefined: the input is the host's. */
  readonly turns: InputTurns | undefined;

  /** `whose`: for what the process was started. */
  constructor(whose: "app" | "host") {
    this.turns = whose === "app" ? new InputTurns(this.words) : undefined;
  }

  /** The process was started for the app; else it embeds the app. */
  get isAppsProcess(): boolean {
    return this.turns !== undefined;
  }

  /** What a thread is told. */
  get order(): StreamsOrder {
    const words = this.words.buffer;
    // A process manager (PM2's cluster mode) may have put something there before the command line began.
    if (this.turns) return { own: ["stdin", ...OUTPUTS.filter((name) => !isReplaced(process[name]))], words };
    const own = isMainThread ? OUTPUTS.filter((name) => isDirect(process[name])) : [];
    return { own, words };
  }
}

/** In a pipe the host's lines and the app's could be torn when it is full. */
function isDirect(stream: object): boolean {
  const isNodes = stream instanceof tty.WriteStream || stream.constructor.name === "SyncWriteStream";
  return isNodes && !isReplaced(stream);
}

function isReplaced(stream: object): boolean {
  return Object.hasOwn(stream, "write") || Object.hasOwn(stream, "_write");
}
