/**
 * A console for an app: every event of the supervisor is printed, and each line of standard input is a command. The app is
 * checked when it is told to, and only then. Run it in a clone:
 *   npm run build && node examples/control/control.js
 * and write `ask /`, `reload`, `restart`, `clear`, `inspect`, `call sum 1 2`, `stale`, `leaks` or
 * `quit`.
 */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createSupervisor, UnreloaderError } from "unreloader";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

const supervisor = supervise(process.argv[2] ?? "app/main.js");

supervisor.on("listening", ({ host, port }) => console.log(`event listening ${host}:${port}`));
supervisor.on("reload", ({ kind, generation, loaded }) =>
  console.log(`event reload ${kind} ${generation} ${loaded.length}`),
);
supervisor.on("failed", ({ error }) => console.log(`event failed ${error.code ?? error.name}`));
supervisor.on("restarted", ({ epoch, reason }) => console.log(`event restarted ${epoch} ${reason.type}`));
supervisor.on("worker-exit", ({ cause, next }) => console.log(`event worker-exit ${cause.type}, ${next}`));
supervisor.on("stale-references", ({ file, count }) => console.log(`event stale-references ${file} ${count}`));
supervisor.on("log", ({ level }) => level === "error" && console.log("event log"));

const commands = {
  ask: async (path) => (await supervisor.fetch(path)).text(),
  call: async (name, ...args) => JSON.stringify(await supervisor.call(name, ...args)),
  reload: async () => (await supervisor.reload()).kind,
  restart: async () => (await supervisor.restart()).kind,
  // All is evaluated again by the next request, call or reload.
  clear: () => supervisor.clear(),
  inspect: () => {
    const { phase, generation, epoch, modules } = supervisor.inspect();
    return `${phase}, generation ${generation}, epoch ${epoch}, ${modules.length} modules`;
  },
  stale: async () => `${(await supervisor.checkStaleReferences()).length} stale references`,
  leaks: async () => `${(await supervisor.explainLeak()).length} leaks`,
};

/** Options that do not fit, and an entry that is not there, are told at once. */
function supervise(entry) {
  try {
    return createSupervisor({
      entry: here(entry),
      adapters: [here("handlebars-adapter.js")],
      cooldown: "off",
      // Any logger will do: pino, console, or a function. Every step of a reload is a line of the level debug.
      logger: (level, message) => console.log(`${level}: ${message}`),
      logLevel: "warn",
    });
  } catch (error) {
    if (!(error instanceof UnreloaderError)) throw error;
    console.error(`${error.code}: ${error.message}`);
    process.exit(1);
  }
}

await supervisor.start();
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = line.split(" ");
  if (name === "quit") break;
  try {
    if (!Object.hasOwn(commands, name)) throw new RangeError(`no command ${name}`);
    console.log(`${name}: ${(await commands[name](...args)) ?? "done"}`);
  } catch (error) {
    // Errors of the supervisor's own have a code that stays the same; others are the app's. What comes from the app's
    // thread is a copy: go by the code, not by the class.
    console.log(`${name}: ${error.code?.startsWith("ERR_UNRELOADER_") ? error.code : error.message}`);
  }
}
await supervisor.close();
process.stdin.destroy();
