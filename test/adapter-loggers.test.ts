/** pino and winston: what a reloaded file opens for its log is closed with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AdapterApp, reloadManyTimes } from "./support/adapter-app.js";

const RELOADS = 100;

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
require("./probe.cjs").serve((request) => answer(request, version));
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
exports.version = () => {
  destination.flushSync();
  const lines = fs.readFileSync(file, "utf8").trim().split("\\n").map((line) => JSON.parse(line).msg);
  return lines.length === Number(lines.at(-1).slice(8)) ? lines.at(-1) : "lost a line: " + lines;
};
`;
  await reloadManyTimes(app(["pino"], logger), RELOADS, async ({ alive, served }) => {
    assert.ok(Number(await served.text("/open")) <= 1, "one log file is open");
    assert.ok((await alive()) <= 3, `${await alive()} destinations are alive`);
  });
});

test("pino: a transport's thread ends with the file that started it", async () => {
  const logger = `
const path = require("node:path");
const pino = require("pino");
const { watch } = require("./probe.cjs");
const transport = watch(pino.transport({ target: "pino/file", options: { destination: path.join(__dirname, "transport.log") } }));
const logger = pino(transport);
logger.info("hello");
exports.version = () => "version-1";
`;
  await reloadManyTimes(app(["pino"], logger), 30, async ({ alive, served }) => {
    assert.ok(Number(await served.text("/threads")) <= 6, `${await served.text("/threads")} ports are open`);
    assert.ok(Number(await served.text("/open")) <= 2, `${await served.text("/open")} log files are open`);
    assert.ok((await alive()) <= 3, `${await alive()} transports are alive`);
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
