/** pino and winston: what a reloaded file opens for its log is closed with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AdapterApp, RELOADS, reloadManyTimes } from "../support/adapter-app.js";

/** Answers `/open` with the number of open descriptors of log files, `/threads` with that of worker threads. */
const counting = `
const fs = require("node:fs");
exports.answer = (request, otherwise) => {
  if (request.url === "/threads") return process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
  if (request.url !== "/open") return otherwise();
  if (!fs.existsSync("/proc/self/fd")) return 0;
  return fs.readdirSync("/proc/self/fd").filter((fd) => {
    try { return fs.readlinkSync("/proc/self/fd/" + fd).endsWith(".log"); } catch { return false; }
  }).length;
};
`;

function app(packages: string[], logger: string, files: Readonly<Record<string, string>> = {}): AdapterApp {
  return {
    packages,
    files: {
      "counting.js": counting,
      "logger.js": logger,
      "main.js": `
const { version } = require("./logger.js");
const { answer } = require("./counting.js");
require("./probe.cjs").serve((request) => answer(request, () => version(request)));
`,
      ...files,
    },
    entry: "main.js",
    edited: "logger.js",
  };
}

test("pino: the file of a destination is open once, and nothing that was logged is lost", async () => {
  const logger = `
const fs = require("node:fs");
const path = require("node:path");
const pino = require("pino");
const { watch } = require("./probe.cjs");
const file = path.join(__dirname, "app.log");
const destination = watch(pino.destination({ dest: file, sync: false, minLength: 10000 }));
const logger = pino(destination);
logger.info("version-1");
exports.version = async (request) => {
  // A listener that a request leaves behind is no file's: it logs when this version is long gone.
  if (request.url === "/leave") return process.once("test:late", () => logger.info("late")).listenerCount("test:late");
  if (request.url === "/late") return process.emit("test:late");
  if (destination.fd < 0) await new Promise((resolve) => destination.once("ready", resolve));
  const lines = fs.readFileSync(file, "utf8").split("\\n").filter(Boolean).map((line) => JSON.parse(line).msg);
  if (request.url === "/lines") return lines.join();
  const expected = Array.from({ length: Number("version-1".slice(8)) - 1 }, (_, at) => "version-" + (at + 1));
  return lines.join() === expected.join() ? "version-1" : "lines are lost: " + lines;
};
`;
  await reloadManyTimes(app(["pino"], logger), RELOADS, async ({ app, alive, served }) => {
    assert.ok(Number(await served.text("/open")) <= 1, "one log file is open");
    assert.equal(await served.text("/leave"), "1");
    app.edit("logger.js", `version-${RELOADS + 1}`, `version-${RELOADS + 2}`);
    assert.equal(await served.text("/late"), "true");
    assert.match(await served.text("/lines"), /,late$/, "an old version can still log");
    assert.ok((await alive()) <= 3, `${await alive()} destinations are alive`);
  });
});

test("pino: ES modules that import it have their destinations closed, too", async () => {
  const files = {
    "package.json": `{ "type": "module" }`,
    "main.js": `
import fs from "node:fs";
import pino from "pino";
import probe from "./probe.cjs";
const file = import.meta.dirname + "/app.log";
const destination = probe.watch(pino.destination({ dest: file, sync: false, minLength: 10000 }));
pino(destination).info("version-1");
probe.serve(() => {
  const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\\n").filter(Boolean) : [];
  return lines.length === Number("version-1".slice(8)) - 1 ? "version-1" : "version-1 after " + lines;
});
`,
  };
  await reloadManyTimes(
    { packages: ["pino"], files, entry: "main.js", edited: "main.js" },
    RELOADS,
    async ({ alive }) => assert.ok((await alive()) <= 3, `${await alive()} destinations are alive`),
  );
});

for (const [how, start] of [
  ["pino.transport", "const transport = watch(pino.transport(TRANSPORT)); const logger = pino(transport);"],
  [
    "pino({ transport })",
    "const logger = pino({ transport: TRANSPORT }); const transport = watch(logger[pino.symbols.streamSym]);",
  ],
] as const) {
  test(`pino: a transport's thread ends with the file that started it, and has written all lines (${how})`, async () => {
    const options = `{ target: "pino/file", options: { destination: file } }`;
    const logger = `
const fs = require("node:fs");
const path = require("node:path");
const pino = require("pino");
const { watch } = require("./probe.cjs");
const file = path.join(__dirname, "transport.log");
${start.replace("TRANSPORT", options)}
logger.info("version-1");
exports.version = () => {
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const older = text.split("\\n").filter((line) => line && JSON.parse(line).msg !== "version-1");
  return older.length === Number("version-1".slice(8)) - 1 ? "version-1" : "version-1 after " + older;
};
`;
    await reloadManyTimes(app(["pino"], logger), 10, async ({ alive, served }) => {
      assert.ok(Number(await served.text("/threads")) <= 6, `${await served.text("/threads")} ports are open`);
      assert.ok(Number(await served.text("/open")) <= 2, `${await served.text("/open")} log files are open`);
      assert.ok((await alive()) <= 3, `${await alive()} transports are alive`);
    });
  });
}

test("pino: a logger of a file that is kept goes on with its destination and its thread", async () => {
  const kept = `
const path = require("node:path");
const pino = require("pino");
exports.plain = pino(pino.destination({ dest: path.join(__dirname, "kept.log"), sync: true }));
exports.threaded = pino({ transport: { target: "pino/file", options: { destination: path.join(__dirname, "thread.log") } } });
`;
  const logger = `
const fs = require("node:fs");
const path = require("node:path");
const kept = require("./kept.js");
const { watch } = require("./probe.cjs");
const own = watch(kept.plain.child({ version: "version-1" }));
own.info("hello");
kept.threaded.info("hello");
const linesOf = (name) => {
  const file = path.join(__dirname, name);
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\\n").filter(Boolean) : [];
};
exports.version = async () => {
  const count = Number("version-1".slice(8));
  if (linesOf("kept.log").length !== count) return "lines are lost";
  // The thread writes when it comes to it.
  while (linesOf("thread.log").length < count) await new Promise(setImmediate);
  return linesOf("thread.log").length === count ? "version-1" : "lines are written twice";
};
`;
  await reloadManyTimes(app(["pino"], logger, { "kept.js": kept }), RELOADS, async ({ alive, served }) => {
    assert.ok(Number(await served.text("/open")) <= 2, `${await served.text("/open")} log files are open`);
    assert.ok((await alive()) <= 3, `${await alive()} child loggers are alive`);
  });
});

test("winston: transports are closed, the default logger and kept loggers lose those of old versions", async () => {
  const logger = `
const path = require("node:path");
const winston = require("winston");
const kept = require("./kept.js");
const { watch } = require("./probe.cjs");
const own = watch(winston.createLogger({ transports: [new winston.transports.File({ filename: path.join(__dirname, "own.log") })] }));
winston.add(new winston.transports.File({ filename: path.join(__dirname, "default.log") }));
winston.loggers.add("named", { level: "info", transports: [new winston.transports.Console({ silent: true })] });
kept.add(watch(new winston.transports.Console({ silent: true })));
own.info("hello");
exports.version = () => {
  const counts = [kept.transports.length, winston.loggers.loggers.size].join();
  return counts === "1,1" ? "version-1" : counts;
};
`;
  const kept = { "kept.js": `module.exports = require("winston").createLogger({ level: "info", transports: [] });` };
  await reloadManyTimes(app(["winston"], logger, kept), RELOADS, async ({ alive, served }) => {
    assert.ok(Number(await served.text("/open")) <= 2, `${await served.text("/open")} log files are open`);
    assert.ok((await alive()) <= 6, `${await alive()} loggers are alive`);
  });
});

test("winston: what a logger does with exceptions and rejections is done once", async () => {
  const logger = `
const path = require("node:path");
const winston = require("winston");
const kept = require("./kept.js");
const { watch } = require("./probe.cjs");
const file = (name) => watch(new winston.transports.File({ filename: path.join(__dirname, name) }));
const own = winston.createLogger({
  transports: [file("own.log")],
  exceptionHandlers: [file("exceptions.log")],
  rejectionHandlers: [file("rejections.log")],
  exitOnError: false,
});
kept.exceptions.handle(watch(new winston.transports.Console({ silent: true, handleExceptions: true })));
watch(own);
exports.version = () => {
  const counts = ["uncaughtException", "unhandledRejection"].map((name) => process.listenerCount(name));
  counts.push(kept.exceptions.handlers.size, kept.transports.length);
  return counts.join() === "2,1,1,1" ? "version-1" : counts.join();
};
`;
  const kept = {
    "kept.js": `module.exports = require("winston").createLogger({ exitOnError: false, transports: [] });`,
  };
  await reloadManyTimes(app(["winston"], logger, kept), RELOADS, async ({ alive, served }) => {
    assert.ok(Number(await served.text("/open")) <= 3, `${await served.text("/open")} log files are open`);
    assert.ok((await alive()) <= 10, `${await alive()} loggers and transports are alive`);
  });
});
