/** Signals under the command line are what they are under `node`, listener by listener. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ComparedRun, run, type Step } from "../support/compared-run.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const SAY = `const say = (text) => require("node:fs").writeSync(1, text + "\\n");
for (const event of ["beforeExit", "exit"]) process.on(event, (code) => say(event + " " + code));
`;
const SERVER = `${SAY}const server = require("node:http").createServer((request, response) => {
  say("request"); setTimeout(() => response.end("answer"), 300);
});
server.listen(0, "127.0.0.1", () => say("port " + server.address().port));
`;
const FOR_EVER = `${SAY}const forEver = setInterval(() => {}, 1000); setImmediate(() => say("ready"));
`;

interface Case {
  readonly code: string;
  readonly steps: readonly Step[];
  /** What is promised otherwise than under `node`. */
  readonly ours?: Partial<ComparedRun>;
}

const ready: Step = { wait: /^ready/ };
const under = (kill: NodeJS.Signals): Step[] => [{ get: "/" }, { wait: /^request/ }, { kill }];
const ZERO = { code: 0, signal: null };

const cases: Readonly<Record<string, Case>> = {
  "callbacks of a server that closes run before the end that they bring": {
    code: `${SERVER}process.on("SIGTERM", (...args) => { say(args.join()); server.close(() => { say("saved"); process.exit(7); }); });`,
    steps: under("SIGTERM"),
  },
  "a server that closes is all that was left": {
    code: `${SERVER}process.on("SIGINT", () => { server.close(() => say("closed")); process.exitCode = 5; });`,
    steps: under("SIGINT"),
  },
  "an asynchronous listener that does not wait for what it begins": {
    code: `${SERVER}process.on("SIGTERM", async () => { server.close(() => setTimeout(() => { say("late"); process.exit(4); }, 100)); });`,
    steps: under("SIGTERM"),
  },
  "a server that goes on accepting, until a request finds the flag": {
    code: `${SERVER}let stops = false; process.on("SIGTERM", () => { stops = true; say("heard"); });
server.on("request", () => { if (stops) server.close(() => say("closed")); });`,
    steps: [{ wait: /^port/ }, { kill: "SIGTERM" }, { wait: /^heard/ }, { get: "/" }],
  },
  "an asynchronous listener that lets a request come, and imports": {
    code: `${SERVER}process.on("SIGTERM", async () => { say("heard"); await new Promise((resolve) => server.once("request", resolve));
say((await import("data:text/javascript,export default 'imported'")).default); server.close(() => { say("closed"); process.exit(6); }); });`,
    steps: [{ wait: /^port/ }, { kill: "SIGTERM" }, { wait: /^heard/ }, { get: "/" }],
  },
  "a flag that an interval looks at": {
    code: `${FOR_EVER}let stops = false; process.on("SIGTERM", () => { stops = true; });
const looks = setInterval(() => { if (stops) { say("stops"); clearInterval(looks); clearInterval(forEver); } }, 200);`,
    steps: [ready, { kill: "SIGTERM" }],
  },
  "beforeExit may begin new work": {
    code: `${FOR_EVER}process.on("SIGTERM", () => clearInterval(forEver));
process.once("beforeExit", () => setTimeout(() => say("more"), 50));`,
    steps: [ready, { kill: "SIGTERM" }],
  },
  "process.exit() in the listener": {
    code: `${FOR_EVER}process.on("SIGINT", () => { say("heard"); process.exit(3); });`,
    steps: [ready, { kill: "SIGINT" }],
  },
  "an error in the listener": {
    code: `${FOR_EVER}process.on("SIGTERM", () => { setTimeout(() => { process.exitCode = 9; forEver.no.such; }); });
process.on("uncaughtException", (error, origin) => { say(error.name + " " + origin); process.exit(6); });`,
    steps: [ready, { kill: "SIGTERM" }],
  },
  "the signal sent again by an app that is done": {
    code: `${SERVER}process.once("SIGTERM", async () => { await new Promise((resolve) => setTimeout(resolve, 100)); say("done"); process.kill(process.pid, "SIGTERM"); });`,
    steps: [{ wait: /^port/ }, { kill: "SIGTERM" }],
    // SIGTERM ends with 0, as it does when the app does not listen.
    ours: { ...ZERO, lines: ["port", "done", "exit 0"] },
  },
  "listeners of all kinds, with their arguments": {
    code: `${FOR_EVER}process.on("SIGHUP", (...args) => say("on " + args)); process.once("SIGHUP", () => say("once"));
process.prependListener("SIGHUP", () => say("first")); process.on("SIGUSR1", () => say("usr1 " + process.listenerCount("SIGHUP")));
process.on("SIGQUIT", () => say("quit")); process.on("SIGUSR2", () => { say("usr2"); process.exit(8); });`,
    steps: [
      ready,
      { kill: "SIGHUP" },
      { wait: /^once/ },
      { kill: "SIGUSR1" },
      { wait: /^usr1/ },
      { kill: "SIGHUP" },
      { wait: /^on/ },
      { kill: "SIGQUIT" },
      { wait: /^quit/ },
      { kill: "SIGUSR2" },
    ],
  },
  "a signal that nobody listens for": { code: FOR_EVER, steps: [ready, { kill: "SIGQUIT" }] },
  "a signal that nobody listens for any more": {
    code: `${FOR_EVER}process.on("SIGUSR1", () => {}); process.on("SIGALRM", () => { process.removeAllListeners("SIGALRM"); say("removed"); });`,
    steps: [ready, { kill: "SIGALRM" }, { wait: /^removed/ }, { kill: "SIGALRM" }],
  },
  "signals that the app sends to itself": {
    code: `${SAY}setInterval(() => {}, 1000); say(String(process.kill(process.pid, 0)));
process.once("SIGALRM", () => { say("first"); process.once("SIGALRM", () => { say("second"); process.kill(process.pid, "SIGALRM"); }); process.kill(process.pid, 14); });
process.kill(process.pid, "SIGALRM");`,
    steps: [],
  },
  "signals that cannot be listened for": {
    code: `${SAY}for (const name of ["SIGKILL", "SIGSTOP", "SIGNOT"]) try { process.on(name, () => {}); say(name); } catch (error) { say(JSON.stringify({ ...error, message: error.message })); }
say(["SIGKILL", "SIGNOT", "newListener", "removeListener"].map((name) => process.listenerCount(name)).join());`,
    steps: [],
  },
  "a process that was stopped goes on": {
    code: `${FOR_EVER}process.on("SIGCONT", () => { say("goes on"); process.exit(2); });`,
    steps: [ready, { kill: "SIGSTOP" }, { kill: "SIGCONT" }],
  },
};

const asModule = (code: string): string =>
  `import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\n${code}`;

describe("signals", { skip: plainMode, concurrency: 2 }, () => {
  for (const [name, { code, steps, ours }] of Object.entries(cases)) {
    for (const [entry, text] of [
      ["main.cjs", code],
      ["main.mjs", asModule(code)],
    ] as const) {
      test(`${name}: ${entry}`, async () => {
        await using app = new TempApp({ [entry]: text });
        const expected = await run("node", app, entry, { steps });
        const got = await run("unreloader", app, entry, { steps, flags: ["--exit", "--quiet"] });
        assert.deepEqual(comparable(got), { ...comparable(expected), ...ours }, got.said.join("\n"));
      });
    }
  }
});

test("a signal that the app listens for comes through a reload, and nothing else does", {
  skip: plainMode,
}, async () => {
  const main = `${SERVER}require("./part.cjs");`;
  const part = (name: string) => `process.on("SIGHUP", () => console.log("${name}")); console.log("${name} is there");`;
  await using app = new TempApp({ "main.cjs": main, "part.cjs": part("one") });
  const steps = function* (): Generator<Step> {
    yield { wait: /^one is there/ };
    yield { wait: /^port/ };
    app.write("part.cjs", part("two"));
    yield { wait: /^two is there/ };
    yield { kill: "SIGHUP" };
    yield { wait: /^two$/ };
    app.write("part.cjs", `console.log("nobody");`);
    yield { wait: /^nobody/ };
    yield { wait: /reloaded .* part.cjs changed/ };
    yield { kill: "SIGHUP" };
  };
  const { lines, code } = await run("unreloader", app, "main.cjs", { steps: steps() });
  assert.ok(!lines.includes("one"), lines.join("\n"));
  assert.equal(code, 0);
});

test("asynchronous listeners that are done are the end, although a server listens", { skip: plainMode }, async () => {
  const code = `${SERVER}process.on("SIGTERM", async () => { await import("node:zlib"); say("done"); });`;
  await using app = new TempApp({ "main.cjs": code });
  const { lines } = await run("unreloader", app, "main.cjs", {
    // Longer than what is waited for here.
    flags: ["--drain", "600000"],
    steps: [{ wait: /^port/ }, { kill: "SIGTERM" }],
  });
  assert.deepEqual(lines.slice(-2), ["done", "exit 0"]);
});

/** Ports differ. */
function comparable({ said: _, lines, ...run }: ComparedRun): Omit<ComparedRun, "said"> {
  return { ...run, lines: lines.map((line) => line.replace(/^port \d+/, "port")) };
}
