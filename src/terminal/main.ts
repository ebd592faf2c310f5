/**
 * The command line. What runs an app with reloads is two processes: a launcher, and the one that it starts. That one starts
 * the app's thread first, before anything else is loaded: it loads its runtime while this thread loads the supervisor, which
 * makes a start 100 ms shorter.
 * A command (`unreloader status`) is one process that loads little: scripts wait for it.
 */
import { takeLaunchOrder } from "../launcher/take-order.js";
import { isCommandWord } from "./commands/command-word.js";

const { argv } = process;
const isCommand = isCommandWord(argv[2]);
// `--no-reload` needs no thread, and must not have loaded what starts one.
const needsNone = isCommand || argv.some((flag) => ["-h", "--help", "-v", "--version", "--no-reload"].includes(flag));
const isRun = !needsNone && argv.length > 2;
const order = takeLaunchOrder();
const mayLaunch = isRun && order === undefined && process.send === undefined && !argv.includes("--no-launcher");
// A thread that may not be made, or may not do its work, would end this with a stack of ours.
const missing = isRun ? (await import("./permissions.js")).missingPermissions() : [];
if (isCommand) await (await import("./commands/run-command.js")).runCommand(argv.slice(2));
else if (missing.length > 0) {
  process.stderr.write(
    `unreloader: --permission: the app runs in a thread of its own, which needs ${missing.join(" and ")} as well; or use --no-reload\n`,
  );
  process.exitCode = 1;
} else if (!mayLaunch || !(await import("../launcher/launch.js")).launch()) {
  const first = isRun ? await import("../thread/first-thread.js") : undefined;
  const spare = first && new first.SpareThread(new first.AppProcess(order?.parent));
  const launched = order && new (await import("../launcher/launched.js")).Launched(order);
  const { runCommandLine } = await import("./command-line.js");
  await runCommandLine(argv.slice(2), { spare, launched });
}
