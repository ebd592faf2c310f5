/** Runs a command line: flags to options, events to lines, keys and signals to calls. */
import { readFileSync } from "node:fs";
import { exitCodeOf, helpText, parseCommandLine } from "./cli-options.js";
import { loadConfig } from "./config/load-config.js";
import { UnreloaderError } from "./errors.js";
import { configFolders, parseOptions, type ResolvedOptions } from "./options.js";
import { watchKeys } from "./supervisor/keys.js";
import { leakLines } from "./supervisor/leak-report.js";
import type { ReloadReport, SupervisorEvent, SupervisorEvents } from "./supervisor/report.js";
import { reportLines, whyLines } from "./supervisor/report-lines.js";
import type { SpareThread } from "./supervisor/spare-thread.js";
import { Supervisor } from "./supervisor/supervisor.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Requests in flight get this long when the process is told to end. */
const CLOSE_MS = 5000;

/** `spare`: a thread that was started ahead. Sets the exit code of the process; ends it when the app is told to end. */
export async function runCommandLine(argv: readonly string[], spare: SpareThread | undefined): Promise<void> {
  try {
    const command = parseCommandLine(argv);
    switch (command.type) {
      case "help":
        console.log(helpText());
        return;
      case "version":
        console.log(packageVersion());
        return;
      case "run":
        await run(await optionsOf(command.input), spare);
        return;
      default:
        command satisfies never;
    }
  } catch (error) {
    if (!(error instanceof UnreloaderError)) throw error;
    process.stderr.write(`unreloader: ${error.message}\n`);
    process.exitCode = exitCodeOf(error.code);
    await spare?.destroy();
  }
}

async function optionsOf(input: Readonly<Record<string, unknown>>): Promise<ResolvedOptions> {
  const cwd = process.cwd();
  const config = await loadConfig(configFolders(input, cwd));
  return parseOptions(input, { cwd, origin: { type: "flags" }, config });
}

async function run(options: ResolvedOptions, spare: SpareThread | undefined): Promise<void> {
  const supervisor = new Supervisor(options, spare);
  let lastReload: ReloadReport | undefined;
  supervisor.on("reload", (report) => {
    lastReload = report;
  });
  printEvents(supervisor, options);

  const end = async (): Promise<void> => {
    await supervisor.close(CLOSE_MS);
    process.exit(0);
  };
  let ending = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // The second time somebody means it.
      if (ending) process.exit(1);
      ending = true;
      supervisor.signal(signal);
      void end();
    });
  }
  watchKeys({
    reload: () => void supervisor.reload(),
    restart: () => void supervisor.restart(),
    explain: () => {
      const lines = lastReload ? whyLines(lastReload, process.cwd()) : [];
      console.log(lines.length > 0 ? lines.join("\n") : "unreloader: nothing has been reloaded yet");
    },
    explainLeak: () => {
      supervisor.explainLeak().then(
        (leaks) => console.log(leakLines(leaks, process.cwd()).join("\n")),
        (error: Error) => process.stderr.write(`unreloader: the leak cannot be explained: ${error.message}\n`),
      );
    },
    quit: () => process.kill(process.pid, "SIGINT"),
  });
  await supervisor.listen();
}

function printEvents(supervisor: Supervisor, options: ResolvedOptions): void {
  const style = {
    format: options.logFormat,
    level: options.logLevel,
    cwd: process.cwd(),
    why: options.why,
    onError: options.onError,
  };
  const print = (event: SupervisorEvent): void => {
    for (const { level, text } of reportLines(event, style)) {
      (level === "error" || level === "warn" ? process.stderr : process.stdout).write(`${text}\n`);
    }
  };
  const names = ["listening", "reload", "failed", "restarted", "worker-exit", "stale-references", "log"] as const;
  for (const name of names) {
    supervisor.on(name, (report: SupervisorEvents[typeof name]) => print({ event: name, report } as SupervisorEvent));
  }
}

function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
