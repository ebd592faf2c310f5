/** Runs an app that is reloaded: events to lines, keys and signals to calls. */

import tty from "node:tty";
import { FLUSH_MS } from "../common/deadlines.js";
import { wait } from "../common/wait.js";
import type { Launched } from "../launcher/launched.js";
import type { ResolvedOptions } from "../options/options.js";
import { OwnLines } from "../reports/own-lines.js";
import { printEvents } from "../reports/tell-events.js";
import { Supervisor } from "../supervisor/supervisor.js";
import { AppStreams } from "../thread/app-streams.js";
import type { UnexpectedEnd } from "../thread/app-thread.js";
import type { SpareThread } from "../thread/spare-thread.js";
import { surviveClosedOutput } from "./closed-output.js";
import { type Ended, endOnSignals, type IsCopy } from "./end-on-signals.js";
import { keyActions } from "./key-actions.js";
import { TerminalKeys } from "./keys.js";
import { packageVersion } from "./package-version.js";
import { RealSignals } from "./real-signals.js";
import { TerminalLines } from "./terminal-lines.js";

/** What was started before the options were known. */
export interface Ahead {
  /** A thread for the app. */
  readonly spare: SpareThread | undefined;
  /** This process, as the launcher has started it. Undefined: there is no launcher. */
  readonly launched: Launched | undefined;
}

export async function runSupervised(options: ResolvedOptions, { spare, launched }: Ahead): Promise<void> {
  const isCopy: IsCopy = (signal) => launched?.isCopy(signal) ?? false;
  const guard = options.launcher && !options.exit ? launched : undefined;
  const channel = spare?.process?.channel;
  /** What the app has sent to the process that has forked this one. */
  const flushed = async () => void (channel && (await wait(channel.flushed(), { deadlineMs: FLUSH_MS })));
  surviveClosedOutput();
  // The app may go elsewhere.
  const cwd = process.cwd();
  const streams = new AppStreams("app");
  const lines = new OwnLines(streams.words, {
    isWriting: (descriptor) => supervisor.isWriting(descriptor),
    readsInput: () => streams.turns?.wasWanted === true,
  });
  process.once("exit", () => lines.flush());
  const supervisor = new Supervisor(options, spare, {
    streams,
    guard,
    // A second signal ends the process at once.
    atExit: (removeFiles) => process.once("exit", removeFiles),
    listenFor: (signals) => realSignals.listenFor(signals),
    over: (code) => void supervisor.close().finally(() => flushed().finally(() => process.exit(code))),
    endsWithApp: () => channel?.isUsed === true,
  });
  const realSignals = new RealSignals(supervisor, isCopy);
  const hasKeys = options.keys && tty.isatty(0);
  const shown = new TerminalLines({ write: (name, text) => lines.write(name, text) });
  printEvents(supervisor, options, {
    write: shown.write,
    id: supervisor.id,
    banner: shown.isTerminal
      ? { version: packageVersion(), node: process.versions.node, entry: options.entry, keys: hasKeys }
      : undefined,
  });

  const hasThreads = () => spare?.process?.hasThreads === true;
  const ended: Ended = {
    listensFor: (signal) => supervisor.listensFor(signal),
    deliver: (signal) => supervisor.deliver(signal),
    end: (signal, deadlineMs) => supervisor.end(signal, deadlineMs).finally(flushed),
  };
  endOnSignals(ended, { deadlineMs: options.drain, isCopy, hasThreads });
  // Its default is to end the process.
  process.on("SIGUSR2", (signal) => isCopy(signal) || void supervisor.signalOrRestart(signal));
  for (const signal of ["SIGWINCH", "SIGCONT"] as const)
    process.on(signal, () => isCopy(signal) || supervisor.terminalSignal(signal));
  if (hasKeys) {
    const actions = keyActions({ supervisor, lines: shown, cwd, panel: options.panel });
    streams.turns?.useKeys(new TerminalKeys(actions));
  }
  const before = guard?.before;
  if (guard && before) {
    const { signal, startedAt, afterMs } = before;
    await supervisor.startAfter({ end: endOfProcess(signal), ports: await guard.inheritedPorts(), startedAt, afterMs });
  } else await supervisor.listen();
}

/** What is told of the process that this one takes the place of. */
function endOfProcess(signal: NodeJS.Signals): UnexpectedEnd {
  const why =
    signal === "SIGKILL"
      ? "the system was short of memory, or somebody has killed it"
      : "its memory ran out in one step, or native code failed";
  return {
    type: "crashed",
    error: {
      name: "ProcessEndError",
      code: "ERR_UNRELOADER_WORKER_EXIT",
      message: `the process ended by ${signal}: ${why}`,
    },
  };
}
