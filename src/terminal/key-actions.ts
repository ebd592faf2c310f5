/** What the single keys do. */
import { errorText } from "../common/errors.js";
import type { LeakReport } from "../leaks/leak-report.js";
import { leakLines } from "../leaks/leak-report.js";
import type { Inspection } from "../reports/inspection.js";
import type { ListeningReport, ReloadReport } from "../reports/report.js";
import { publicUrl, whyLines } from "../reports/report-lines.js";
import { tallyText } from "../reports/tally.js";
import type { WriteLines } from "../reports/tell-events.js";
import { KEY_MEANINGS, type KeyActions } from "./keys.js";
import { openUrl } from "./open-url.js";

/** As much of the supervisor as the keys need. */
export interface KeyedSupervisor {
  on(event: "listening", listener: (report: ListeningReport) => void): unknown;
  on(event: "reload", listener: (report: ReloadReport) => void): unknown;
  reload(): Promise<ReloadReport>;
  restart(): Promise<ReloadReport>;
  explainLeak(): Promise<LeakReport[]>;
  inspect(): Inspection;
}

export interface KeyActionsOptions {
  readonly supervisor: KeyedSupervisor;
  readonly lines: { readonly write: WriteLines; clear(): void };
  /** Folder that shown paths are relative to. */
  readonly cwd: string;
  /** There is a page at /__unreloader/. */
  readonly panel: boolean;
}

export function keyActions({ supervisor, lines, cwd, panel }: KeyActionsOptions): KeyActions {
  let last: ReloadReport | undefined;
  let web: ListeningReport | undefined;
  supervisor.on("reload", (report) => {
    last = report;
  });
  supervisor.on("listening", (report) => {
    if (report.protocol === "http" || report.protocol === "https") web ??= report;
  });
  const say = (text: string): void => lines.write("stdout", [`unreloader: ${text}`]);
  /** Whoever presses a key is answered, also when it comes to nothing. */
  const failed = (what: string) => (error: unknown) =>
    lines.write("stderr", [`unreloader: ${what}: ${errorText(error)}`]);

  return {
    reload() {
      supervisor.reload().then((report) => {
        // The rest is told by events.
        if (report.kind !== "unchanged") return;
        const { phase } = supervisor.inspect();
        const standing = phase === "failed" ? "; what failed is as it was" : "";
        say(`nothing has changed (generation ${report.generation})${standing}`);
      }, failed("not reloaded"));
    },
    restart() {
      supervisor.restart().catch(failed("not restarted"));
    },
    explain() {
      if (last === undefined) say("nothing has been reloaded yet");
      else
        lines.write("stdout", [
          `unreloader: ${tallyText(supervisor.inspect().tally)}; the last one:`,
          ...whyLines(last, cwd),
        ]);
    },
    explainLeak() {
      supervisor
        .explainLeak()
        .then((leaks) => lines.write("stdout", leakLines(leaks, cwd)), failed("the leak cannot be explained"));
    },
    openPanel() {
      if (!panel) say("there is no panel: --no-panel");
      else if (web === undefined) say("there is no panel yet: the app does not listen");
      else {
        const url = `${publicUrl(web)}/__unreloader/`;
        say(openUrl(url) ? `opening ${url}` : `the panel: ${url}`);
      }
    },
    clear: () => lines.clear(),
    help() {
      lines.write("stdout", [
        "unreloader: keys",
        ...KEY_MEANINGS.map(([key, , meaning]) => `  ${key.padEnd(16)}${meaning}`),
      ]);
    },
    quit: () => process.kill(process.pid, "SIGINT"),
  };
}
