/** Runs an app that is reloaded: events to lines, keys and signals to calls. */

import { leakLines } from "../leaks/leak-report.js";
import type { ResolvedOptions } from "../options/options.js";
import type { ReloadReport } from "../reports/report.js";
import { whyLines } from "../reports/report-lines.js";
import { printEvents } from "../reports/tell-events.js";
import { Supervisor } from "../supervisor/supervisor.js";
import type { SpareThread } from "../thread/spare-thread.js";
import { surviveClosedOutput } from "./closed-output.js";
import { endOnSignals } from "./end-on-signals.js";
import { watchKeys } from "./keys.js";

/** `spare`: a thread that was started ahead. */
export async function runSupervised(options: ResolvedOptions, spare: SpareThread | undefined): Promise<void> {
  surviveClosedOutput();
  // The app may go elsewhere.
  const cwd = process.cwd();
  // A second signal ends the process at once.
  const supervisor = new Supervisor(options, spare, (removeFiles) => process.once("exit", removeFiles));
  let lastReload: ReloadReport | undefined;
  supervisor.on("reload", (report) => {
    lastReload = report;
  });
  printEvents(supervisor, options);

  endOnSignals(supervisor);
  // Its default is to end the process.
  process.on("SIGUSR2", (signal) => void supervisor.signalOrRestart(signal));
  watchKeys({
    reload: () => void supervisor.reload(),
    restart: () => void supervisor.restart(),
    explain: () => {
      const lines = lastReload ? whyLines(lastReload, cwd) : [];
      console.log(lines.length > 0 ? lines.join("\n") : "unreloader: nothing has been reloaded yet");
    },
    explainLeak: () => {
      supervisor.explainLeak().then(
        (leaks) => console.log(leakLines(leaks, cwd).join("\n")),
        (error: Error) => process.stderr.write(`unreloader: the leak cannot be explained: ${error.message}\n`),
      );
    },
    quit: () => process.kill(process.pid, "SIGINT"),
  });
  await supervisor.listen();
}
