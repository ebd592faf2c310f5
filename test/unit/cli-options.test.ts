import assert from "node:assert/strict";
import { test } from "node:test";
import { EntryError, OptionError } from "../../src/common/errors.js";
import { flagOf, optionNames } from "../../src/options/option-table.js";
import { exitCodeOf } from "../../src/terminal/command-line.js";
import { helpText } from "../../src/terminal/help.js";
import { parseCommandLine } from "../../src/terminal/parse-command-line.js";

/** The options of a command line that runs an app. */
function options(...argv: string[]): Readonly<Record<string, unknown>> {
  const command = parseCommandLine(argv);
  assert.ok(command.type === "run");
  return command.input;
}

function complaint(...argv: string[]): string {
  try {
    parseCommandLine(argv);
  } catch (error) {
    assert.ok(error instanceof OptionError, String(error));
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  return assert.fail(`no complaint about ${argv.join(" ")}`);
}

test("flags may stand before and after the entry", () => {
  const expected = { entry: "src/app.ts", port: 8080, why: true };
  assert.deepEqual(options("--port", "8080", "src/app.ts", "--why"), expected);
  assert.deepEqual(options("--why", "-p", "8080", "src/app.ts"), expected);
  assert.deepEqual(options("--why", "--port=8080", "src/app.ts"), expected);
  assert.deepEqual(options("src/app.ts", "-p8080", "--why"), expected);
});

test("what follows -- belongs to the app, whatever it looks like", () => {
  assert.deepEqual(options("app.js", "--", "--port", "1", "--", "x").args, ["--port", "1", "--", "x"]);
  assert.deepEqual(options("app.js", "--").args, []);
  assert.match(complaint("app.js", "extra"), /^unexpected argument extra: .* after --$/);
});

test("every flag of the contract gives the option of the same name", () => {
  const argv = [
    ...["-p", "1", "-H", "::1", "--app", "api", "--root", "..", "--require", "models", "--require", "lib/*.ts"],
    ...["--subclasses", "Model, Job", "--subclasses", "sequelize#Model", "--depend", "views=src/a.ts,src/b.ts"],
    ...["--depend", "data.json=src/c.ts", "--env-file", ".env", "--env-file=.env.local", "--scope", "app"],
    ...["--cooldown", "0.5", "--watch", "poll", "--ignore", "**/*.log", "--no-reload", "--on-error", "last-good"],
    ...["--inspect=localhost:9230", "--why", "--log-level", "debug", "--log-format", "json", "--quiet", "app.js"],
  ];
  assert.deepEqual(options(...argv), {
    entry: "app.js",
    port: 1,
    host: "::1",
    app: "api",
    root: "..",
    require: ["models", "lib/*.ts"],
    subclasses: ["Model", "Job", "sequelize#Model"],
    depend: { views: ["src/a.ts", "src/b.ts"], "data.json": ["src/c.ts"] },
    envFile: [".env", ".env.local"],
    scope: "app",
    cooldown: 0.5,
    watch: "poll",
    ignore: ["**/*.log"],
    reload: false,
    onError: "last-good",
    inspect: "localhost:9230",
    why: true,
    logLevel: "debug",
    logFormat: "json",
    quiet: true,
  });
});

test("the debugger's flag takes its value only after an equals sign", () => {
  assert.deepEqual(options("--inspect", "app.js"), { inspect: true, entry: "app.js" });
  assert.deepEqual(options("--inspect=9230", "app.js"), { inspect: "9230", entry: "app.js" });
});

test("a switch can be negated, and the last word counts", () => {
  assert.equal(options("app.js", "--why", "--no-why").why, false);
  assert.equal(options("app.js", "--no-inspect").inspect, false);
  assert.equal(options("app.js", "--no-reload", "--reload").reload, true);
  assert.equal(options("app.js", "--port", "1", "--port", "2").port, 2);
});

test("a number that is none stays as it was written, for the message about it", () => {
  assert.equal(options("app.js", "--port", "80a").port, "80a");
  assert.equal(options("app.js", "--port", "-1").port, "-1");
  assert.equal(options("app.js", "--cooldown", "off").cooldown, "off");
});

test("a flag without its value is refused, also when another flag follows", () => {
  assert.equal(complaint("app.js", "--port"), "--port needs a value: --port N");
  assert.equal(complaint("--port", "--host", "x", "app.js"), "--port needs a value: --port N");
  assert.equal(complaint("app.js", "--root="), "--root needs a value: --root DIR");
  assert.equal(complaint("app.js", "-H"), "-H needs a value: -H H");
  assert.equal(complaint("app.js", "--why=yes"), "--why takes no value, got yes");
  assert.equal(complaint("app.js", "--no-inspect=1"), "--no-inspect takes no value, got 1");
  assert.match(complaint("app.js", "--depend", "views"), /^--depend views: expected DEP=FILE/);
});

test("a misspelled flag is met with what was probably meant", () => {
  assert.equal(complaint("app.js", "--prot", "1"), "unknown option --prot; did you mean --port?");
  assert.equal(complaint("app.js", "--no-relaod"), "unknown option --no-relaod; did you mean --no-reload?");
  assert.equal(complaint("app.js", "--versoin"), "unknown option --versoin; did you mean --version?");
  assert.equal(complaint("app.js", "-x"), "unknown option -x; see unreloader --help");
  assert.equal(complaint("app.js", "--no-port"), "unknown option --no-port; did you mean --port?");
  for (const name of ["constructor", "__proto__", "toString", "no-", "no-__proto__"])
    assert.match(complaint("app.js", `--${name}`), /^unknown option /);
});

test("help and version win over what else is wrong behind them", () => {
  assert.deepEqual(parseCommandLine(["--help", "--port"]), { type: "help" });
  assert.deepEqual(parseCommandLine(["-v", "--nonsense"]), { type: "version" });
  assert.deepEqual(parseCommandLine(["app.js", "-h"]), { type: "help" });
  assert.deepEqual(options("app.js", "--", "--help").args, ["--help"]);
});

test("help names every option that has a flag, in lines of a terminal's width", () => {
  const help = helpText();
  for (const option of optionNames.filter((name) => !["entry", "args", "adapters", "logger"].includes(name)))
    assert.ok(help.includes(`${flagOf(option)}`), option);
  for (const line of help.split("\n")) assert.ok(line.length <= 120, line);
});

test("a missing entry ends the process with 2, everything else with 1", () => {
  assert.equal(exitCodeOf(new OptionError("").code), 1);
  assert.equal(exitCodeOf(new EntryError("").code), 2);
  assert.equal(exitCodeOf(undefined), 1);
});
