/**
 * The standard streams as an app has them: the same file under plain `node` and under the command line, in a terminal, a
 * pipe and a file.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { within } from "../support/deadline.js";
import { OutputLines } from "../support/output-lines.js";
import { cliFile } from "../support/project.js";
import { noTerminal, PseudoTerminal } from "../support/pseudo-terminal.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

/** Prints all that is documented of the streams, and more; then the order of what is written in different ways. */
const face = `const fs = require("node:fs");
const tty = require("node:tty");
const util = require("node:util");
const members = (stream) => {
  const seen = { class: stream.constructor.name, keys: Object.keys(stream).filter((key) => key !== "_sockname").join() };
  for (const name of ["fd", "isTTY", "columns", "rows", "isRaw", "writable", "readable", "writableLength",
    "writableHighWaterMark", "writableObjectMode", "writableEnded", "writableFinished", "writableNeedDrain", "writableCorked",
    "readableFlowing", "readableLength", "readableHighWaterMark", "readableEncoding", "readableEnded", "readableObjectMode",
    "destroyed", "closed", "errored", "allowHalfOpen", "connecting", "pending", "readyState", "timeout", "bytesRead",
    "bytesWritten", "localAddress", "remoteAddress", "_isStdio", "_type"]) seen[name] = stream[name];
  seen.window = stream.getWindowSize?.();
  seen.depth = stream.getColorDepth?.();
  seen.colours = [stream.hasColors?.(), stream.hasColors?.(256), stream.hasColors?.(2 ** 24)];
  seen.is = [stream instanceof tty.WriteStream, stream instanceof tty.ReadStream, stream instanceof require("node:net").Socket,
    stream instanceof fs.ReadStream];
  seen.listeners = stream.eventNames().map(String).map((name) => [name, stream.listenerCount(name)]);
  const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(process, name = seen.name = names.get(stream));
  seen.property = [typeof get, typeof set, enumerable, configurable];
  return seen;
};
let name;
const names = new Map([[process.stdin, "stdin"], [process.stdout, "stdout"], [process.stderr, "stderr"]]);
fs.writeFileSync(process.env.SEEN, JSON.stringify([...names.keys()].map(members), null, 1));
console.log(1);
console.log({ two: "2" });
process.stdout.write("3\\n");
fs.writeSync(1, "4\\n");
console.error(5);
process.stderr.write("6\\n");
fs.writeSync(2, "7\\n");
console.log(util.styleText?.("red", "8"), util.inspect({ nine: 9 }, { colors: process.stdout.isTTY }));
process.stdout.write("10\\n", () => {
  console.table?.([{ eleven: 11 }]);
  console.log("END");
});
process.stdout.cork?.();
console.log("corked");
process.stdout.uncork?.();
if (process.stdout.isTTY) {
  process.stdout.cursorTo(0);
  process.stdout.moveCursor(1, 0);
  process.stdout.clearLine(0);
  process.stdout.clearScreenDown();
}
setInterval(() => {}, 1000);
`;

const programs = [
  ["node", [process.execPath]],
  ["unreloader", [process.execPath, cliFile]],
] as const;

/** What the app writes up to END, and what it has seen of its streams. */
async function both(
  run: (command: readonly string[], app: TempApp, seen: string) => Promise<string>,
): Promise<Record<string, { output: string; seen: unknown }>> {
  const results: Record<string, { output: string; seen: unknown }> = {};
  for (const [name, command] of programs) {
    await using app = new TempApp({ "main.js": face });
    const seen = app.path("seen.json");
    const output = await run([...command, "main.js"], app, seen);
    results[name] = { output: output.slice(0, output.indexOf("END")), seen: JSON.parse(readFileSync(seen, "utf8")) };
  }
  return results;
}

function cleanEnvironment(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !/^(NODE_|FORCE_COLOR|NO_COLOR|npm_|CI$)/.test(name));
  return { ...Object.fromEntries(rest), ...more };
}

test("a line of the command line's own begins on a line of its own", { skip: plainMode || noTerminal }, async () => {
  const server = `require("node:http").createServer(() => {}).listen(0);\n`;
  // Both are one terminal.
  for (const stream of ["stdout", "stderr"]) {
    await using app = new TempApp({ "main.js": `process.${stream}.write("no end");\n${server}` });
    await using terminal = new PseudoTerminal([process.execPath, cliFile, "main.js"], { cwd: app.folder });
    await terminal.wait(/listening on .*\r\n/);
    const shown = stripVTControlCharacters(terminal.output);
    assert.match(shown, /^no end\r\n\d\d:\d\d:\d\d unreloader: listening on \S+ .*\r\n/);
  }
});

test("what a process manager has put in the place of the streams (PM2, in its cluster mode) gets what the app prints", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "main.cjs": "console.log('out'); console.error('err'); setTimeout(() => { throw new Error('one'); }, 50);",
    "container.cjs": `for (const name of ["stdout", "stderr"]) {
  const write = process[name].write.bind(process[name]);
  process[name].write = (text) => write(String(text).replace(/^(?=.)/gm, name + "> "));
}
process.argv = [process.execPath, ${JSON.stringify(cliFile)}, "--no-launcher", "--exit", "main.cjs"];
import(${JSON.stringify(cliFile)});`,
  });
  const child = spawn(process.execPath, ["container.cjs"], { cwd: app.folder, stdio: ["ignore", "pipe", "pipe"] });
  const lines = new OutputLines();
  lines.follow(child.stdout);
  lines.follow(child.stderr);
  await within(once(child, "close"), () => `the end; output:\n${lines}`);
  for (const line of ["stdout> out", "stderr> err", "stderr> Error: one", `stderr> Node.js ${process.version}`])
    assert.ok(lines.all.includes(line), `${line} in:\n${lines}`);
});

test("a line of the command line's own waits for one that a full pipe has taken in part", {
  skip: plainMode,
}, async () => {
  await using app = new TempApp({
    "main.js": `require("./printer");\nrequire("node:http").createServer(() => {}).listen(0);\n`,
    "printer.js": `const letter = "a";\nprocess.stdout.write(letter.repeat(300_000) + "\\n");\nprocess.stderr.write("printed " + letter + "\\n");\n`,
  });
  const child = spawn(process.execPath, [cliFile, "main.js"], {
    cwd: app.folder,
    env: cleanEnvironment({}),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  const printed = new OutputLines();
  printed.follow(child.stderr);
  const lines = new OutputLines();
  try {
    await printed.wait(/printed a/);
    app.edit("printer.js", '"a"', '"b"');
    await printed.wait(/printed b/);
    lines.follow(child.stdout);
    await lines.wait(/reloaded/);
  } finally {
    child.kill("SIGKILL");
    await closed;
  }
  const shapes = lines.all.map((line) => (line.startsWith("unreloader: ") ? "own" : `${line[0]} ${line.length}`));
  assert.deepEqual(
    shapes.filter((shape) => shape !== "own"),
    ["a 300000", "b 300000"],
  );
});

describe("the standard streams of an embedded app", { skip: plainMode || noTerminal }, () => {
  const files = {
    "app.js": `exports.face = () => [process.stdout.isTTY, process.stdout.columns, process.stdin.isTTY, process.stdin.readable];
exports.print = (text) => void console.log(text);
`,
    "host.mjs": `import { createSupervisor } from "unreloader";
if (process.argv[2] === "patched") {
  const { write } = process.stdout;
  process.stdout.write = function (chunk, ...rest) { return write.call(this, "host: " + chunk, ...rest); };
}
const supervisor = createSupervisor({ entry: "app.js" });
await supervisor.start();
console.log(JSON.stringify(await supervisor.call("face")));
await supervisor.call("print", "printed");
await supervisor.close();
`,
  };

  for (const [host, face] of [
    ["plain", /^\[true,80,null,/],
    ["patched", /^host: \[null,null,null,/],
  ] as const) {
    test(`in a terminal, in a host that is ${host}`, async () => {
      await using app = new TempApp(files, { packages: ["unreloader"] });
      const command = [process.execPath, "host.mjs", host];
      await using terminal = new PseudoTerminal(command, { cwd: app.folder });
      await terminal.wait(/printed\r\n/);
      assert.equal(await terminal.exit(), 0);
      const [first = "", second] = terminal.output.split("\r\n");
      assert.match(first, face);
      assert.equal(second, host === "plain" ? "printed" : "host: printed");
    });
  }
});

describe("the standard streams are those of plain node", { skip: plainMode }, () => {
  test("in a terminal", { skip: noTerminal }, async () => {
    const { node, unreloader } = await both(async (command, app, seen) => {
      await using terminal = new PseudoTerminal(command, { cwd: app.folder, env: { SEEN: seen } });
      await terminal.wait(/END/);
      return terminal.output;
    });
    assert.deepEqual(unreloader, node);
    assert.ok(node?.output.includes("\u001b[33m"), node?.output);
  });

  for (const variables of [{ NO_COLOR: "1" }, { FORCE_COLOR: "3" }, { TERM: "dumb" }]) {
    test(`in a terminal, with ${JSON.stringify(variables)}`, { skip: noTerminal }, async () => {
      const { node, unreloader } = await both(async (command, app, seen) => {
        await using terminal = new PseudoTerminal(command, { cwd: app.folder, env: { ...variables, SEEN: seen } });
        await terminal.wait(/END/);
        return terminal.output;
      });
      assert.deepEqual(unreloader, node);
    });
  }

  test("in pipes", async () => {
    const { node, unreloader } = await both(async ([program = "", ...args], app, seen) => {
      const child = spawn(program, args, { cwd: app.folder, env: cleanEnvironment({ SEEN: seen }), stdio: "pipe" });
      const closed = once(child, "close");
      const lines = new OutputLines();
      lines.follow(child.stdout);
      lines.follow(child.stderr);
      try {
        await lines.wait(/END/);
      } finally {
        child.kill("SIGKILL");
        await closed;
      }
      // Those of two pipes may come in another order.
      const isOfStderr = (line: string) => ["5", "6", "7"].includes(line) || line.startsWith("unreloader");
      return lines.all.filter((line) => !isOfStderr(line)).join("\n");
    });
    assert.deepEqual(unreloader, node);
  });

  test("in a file, where all has been written when the app goes on", async () => {
    const { node, unreloader } = await both(async ([program = "", ...args], app, seen) => {
      const file = openSync(app.path("output"), "a");
      const child = spawn(program, args, {
        cwd: app.folder,
        env: cleanEnvironment({ SEEN: seen }),
        stdio: ["ignore", file, file],
      });
      const closed = once(child, "close");
      closeSync(file);
      try {
        await within(
          (async () => {
            while (!readFileSync(app.path("output"), "utf8").includes("END")) await new Promise(setImmediate);
          })(),
          () => `END in ${app.read("output")}`,
        );
      } finally {
        child.kill("SIGKILL");
        await closed;
      }
      return app.read("output");
    });
    assert.deepEqual(unreloader, node);
    assert.match(node?.output ?? "", /^1\n\{ two: '2' \}\n3\n4\n5\n6\n7\n/);
  });
});
