/**
 * Every callback of a host may call the supervisor, and may throw: nothing waits for ever, what is called works or rejects
 * with a code, and the app is served as before.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Supervisor, SupervisorOptions } from "../../src/index.js";
import { within } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { plainMode } from "../support/served-app.js";

/** A call that hangs would be given up with its callback, after 5 s: what comes sooner was not. */
const SOON_MS = 4000;

const files = {
  "main.js": `import http from "node:http";
import { value } from "./value.js";
export const sum = (a, b) => a + b;
http.createServer((req, res) => {
  if (req.url === "/crash") return void setImmediate(() => { throw new Error("crashed on purpose"); });
  res.end(value);
}).listen(0, "127.0.0.1");
`,
  "value.js": `export const value = "one";\n`,
  "parts/a.js": `globalThis.a = 1;\n`,
  "parts/b.js": `globalThis.b = 1;\n`,
  "more/c.js": `globalThis.c = 1;\n`,
};

/** What a callback calls. */
const calls: Readonly<Record<string, (supervisor: Supervisor) => Promise<unknown>>> = {
  reload: (supervisor) => supervisor.reload(),
  restart: (supervisor) => supervisor.restart(),
  fetch: async (supervisor) => (await supervisor.fetch("/")).text(),
  call: (supervisor) => supervisor.call("sum", 1, 2),
  require: (supervisor) => supervisor.require("more"),
  checkStaleReferences: (supervisor) => supervisor.checkStaleReferences(),
  close: (supervisor) => supervisor.close(1000),
};

type Callback = () => unknown;

interface Kind {
  /** Has `callback` called by what `bring` does. */
  install(callback: Callback): {
    options?: Partial<SupervisorOptions>;
    ready?: (supervisor: Supervisor) => Promise<unknown>;
  };
  bring(embedded: EmbeddedApp): Promise<unknown>;
  /** Its promise is not waited for. */
  readonly sync?: true;
}

const listener = (event: "reload" | "failed" | "restarted" | "worker-exit" | "log", bring: Kind["bring"]): Kind => ({
  install: (callback) => ({ ready: async (supervisor) => supervisor.on(event, callback) }),
  bring,
});
const edit = async ({ app, supervisor }: EmbeddedApp) => {
  app.write("value.js", `export const value = "two";\n`);
  await supervisor.reload();
};
const remove = async ({ app, supervisor }: EmbeddedApp) => {
  app.remove("parts/a.js");
  await supervisor.reload();
};

const kinds: Readonly<Record<string, Kind>> = {
  "a listener for reload": listener("reload", edit),
  "a listener for failed": listener("failed", async ({ app, supervisor }) => {
    app.write("value.js", "}{");
    await supervisor.reload();
    app.write("value.js", `export const value = "two";\n`);
  }),
  "a listener for restarted": listener("restarted", ({ supervisor }) => supervisor.restart()),
  "a listener for worker-exit": listener("worker-exit", ({ supervisor }) =>
    supervisor.fetch("/crash").catch(() => undefined),
  ),
  "a listener for listening": {
    install: (callback) => ({ ready: async (supervisor) => supervisor.on("listening", callback) }),
    bring: () => Promise.resolve(),
  },
  "a logger": { install: (callback) => ({ options: { logger: () => callback(), logLevel: "info" } }), bring: edit },
  "a logger at the level debug": {
    install: (callback) => ({ options: { logger: () => callback(), logLevel: "debug" } }),
    bring: edit,
  },
  onDelete: {
    install: (callback) => ({ ready: (supervisor) => supervisor.require("parts", { onDelete: () => callback() }) }),
    bring: remove,
  },
  classes: {
    install: (callback) => ({
      ready: (supervisor) =>
        supervisor.require("parts", {
          classes: () => {
            callback();
            return "auto";
          },
        }),
    }),
    bring: async ({ app, supervisor }) => {
      app.write("parts/d.js", "globalThis.d = 1;\n");
      await supervisor.reload();
    },
  },
};

describe("a callback of the host that calls the supervisor", { skip: plainMode, concurrency: 2 }, () => {
  for (const [at, [kindName, kind]] of Object.entries(kinds).entries()) {
    // Every third pair: each call from a third of the kinds, each kind with a third of the calls.
    for (const [callName, call] of Object.entries(calls).filter((_, index) => (at + index) % 3 === 0)) {
      test(`${kindName}: ${callName}()`, async () => {
        let outcome: Promise<unknown> | undefined;
        let supervisor: Supervisor | undefined;
        // Once: a listener for restarts that restarts goes on for ever, rightly so.
        const callback = () => {
          if (supervisor !== undefined) outcome ??= call(supervisor);
          return outcome;
        };
        const { options, ready } = kind.install(callback);
        await using embedded = new EmbeddedApp(files, "main.js", options ?? {});
        if (kindName === "classes") await embedded.supervisor.start();
        await ready?.(embedded.supervisor);
        supervisor = embedded.supervisor;
        await supervisor.start();
        const logged: string[] = [];
        supervisor.on("log", ({ message }) => logged.push(message));
        const brought = kind.bring(embedded);
        // Closed by the callback itself, it takes nothing more.
        if (callName === "close") await brought.catch(() => undefined);
        else await brought;

        await callEnds(() => outcome);
        assert.deepEqual(
          logged.filter((message) => /not done after/.test(message)),
          [],
        );
        if (callName === "close") {
          await embedded.supervisor.close();
          return;
        }
        const last =
          kindName === "a listener for listening" || /restarted|worker-exit|onDelete|classes/.test(kindName)
            ? "one"
            : "two";
        assert.equal(await (await within(supervisor.fetch("/"), "an answer")).text(), last);
        assert.equal(await supervisor.call("sum", 2, 2), 4);
      });
    }
  }
});

/** The call has been made, and resolves, or rejects with a code of the supervisor's. */
async function callEnds(outcome: () => Promise<unknown> | undefined): Promise<void> {
  const deadline = performance.now() + SOON_MS * 3;
  while (outcome() === undefined && performance.now() < deadline) await new Promise(setImmediate);
  const made = outcome();
  assert.ok(made !== undefined, "the callback was not called");
  const settled = made.then(
    () => undefined,
    (error: { code?: string }) => assert.match(String(error.code), /^ERR_UNRELOADER_/, String(error)),
  );
  await within(settled, "the call to end", SOON_MS);
}

describe("a callback of the host that fails", { skip: plainMode, concurrency: 2 }, () => {
  const failures: Readonly<Record<string, () => unknown>> = {
    throws: () => {
      throw new Error("the host's own trouble");
    },
    rejects: async () => {
      throw new Error("the host's own trouble");
    },
  };
  for (const [kindName, kind] of Object.entries(kinds)) {
    for (const [how, fail] of Object.entries(failures)) {
      // A logger and a function that names classes give no promise that anybody looks at.
      if (how === "rejects" && /logger|classes/.test(kindName)) continue;
      test(`${kindName} ${how}: it is told, and changes nothing else`, async () => {
        const { options, ready } = kind.install(fail);
        const told: string[] = [];
        await using embedded = new EmbeddedApp(files, "main.js", options ?? {});
        const { supervisor } = embedded;
        supervisor.on("log", ({ level, message }) => {
          if (level === "error" || level === "warn") told.push(message);
        });
        if (kindName === "classes") await supervisor.start();
        await ready?.(supervisor);
        await supervisor.start();
        await kind.bring(embedded);
        const answer = await within(supervisor.fetch("/"), "an answer");
        assert.equal(answer.status, 200);
        assert.match(await answer.text(), /^(one|two)$/);
        embedded.app.write("value.js", `export const value = "three";\n`);
        assert.equal(await (await supervisor.fetch("/")).text(), "three");
        assert.equal((await supervisor.restart()).kind, "restarted");
        if (!kindName.startsWith("a logger")) {
          assert.ok(
            told.some((message) => message.includes("the host's own trouble")),
            `told: ${told.join("; ")}`,
          );
        }
      });
    }
  }
});

test("a host that reloads when the app has crashed before it listened gets one fresh worker, not two", async () => {
  await using embedded = new EmbeddedApp({ "main.js": "" }, "main.js", { host: "127.0.0.1" });
  const { app, supervisor } = embedded;
  // Outside of the app's folder: it is not to be watched.
  const crashed = JSON.stringify(`${app.scratch}/crashed`);
  app.write(
    "main.js",
    `import fs from "node:fs";
import http from "node:http";
if (fs.existsSync(${crashed})) http.createServer((req, res) => res.end("up")).listen(0, "127.0.0.1");
else setTimeout(() => { fs.writeFileSync(${crashed}, ""); process.exit(1); }, 1);
`,
  );
  const reloaded = new Promise((resolve) => {
    supervisor.on("worker-exit", () => setImmediate(() => void supervisor.reload().then(resolve)));
  });
  await supervisor.listen(0);
  await within(reloaded, "the reload");
  assert.equal(await (await supervisor.fetch("/")).text(), "up");
  await supervisor.reload();
  assert.equal(supervisor.inspect().epoch, 2);
});
