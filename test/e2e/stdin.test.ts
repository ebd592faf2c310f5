/**
 * Standard input as an app has it: the same file under plain `node` and under the command line, in a terminal, a pipe and a
 * file; and what becomes of it in a reload and with a fresh worker.
 */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { describe, test } from "node:test";
import { within } from "../support/deadline.js";
import { OutputLines } from "../support/output-lines.js";
import { cliFile } from "../support/project.js";
import { noTerminal, PseudoTerminal } from "../support/pseudo-terminal.js";
import { plainMode } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const programs = [
  ["node", [process.execPath]],
  ["unreloader", [process.execPath, cliFile]],
] as const;

const stays = "setInterval(() => {}, 1000);\n";

/** A name, what the app does, and what is typed when it has written what. The last is only waited for. */
const dialogues: readonly (readonly [string, string, readonly (readonly [RegExp, string?])[]])[] = [
  [
    "two questions of readline, the second after a while",
    `const { createInterface } = require("node:readline");
     const ask = (question, then) => {
       const lines = createInterface({ input: process.stdin, output: process.stdout });
       lines.question(question, (answer) => { lines.close(); then(answer); });
     };
     ask("name? ", (name) => setImmediate(() => ask("age? ", (age) => console.log("END", { name, age }, process.stdin.isRaw))));`,
    [[/name\?/, "Ada\r"], [/age\?/, "3\u007f36\r"], [/END.*\r\n/]],
  ],
  [
    "questions of readline/promises, at top level",
    `import { createInterface } from "node:readline/promises";
     const lines = createInterface({ input: process.stdin, output: process.stdout });
     const name = await lines.question("name? ");
     lines.close();
     console.log("END", name);`,
    [[/name\?/, "Bo\r"], [/END.*\r\n/]],
  ],
  [
    "a REPL",
    `require("node:repl").start("> ");`,
    [[/> /, "[1, 'a']\r"], [/\].*> \S*3G/s, "_.length\r"], [/2.*> \S*3G/s]],
  ],
  [
    "single keys in raw mode, Ctrl-C among them",
    `process.stdin.setRawMode(true).on("data", (key) => {
       console.log(JSON.stringify(String(key)));
       if (String(key) !== "x") return;
       process.stdin.setRawMode(false).pause();
       console.log("END", process.stdin.isRaw, process.stdin.isPaused());
     });
     console.log("keys");`,
    [[/keys/, "a"], [/"a"/, "\u0003"], [/u0003"/, "\u001a"], [/u001a"/, "q"], [/"q"/, "x"], [/END.*\r\n/]],
  ],
  [
    "lines, and the end of input by Ctrl-D",
    `process.stdin.setEncoding("utf8").on("data", (line) => console.log("line", JSON.stringify(line)));
     process.stdin.on("end", () => console.log("END", process.stdin.readableEnded));
     console.log("lines");`,
    [[/lines/, "öne\r"], [/line "/, "two\r"], [/line "two/, "\u0004"], [/END.*\r\n/]],
  ],
  [
    "a synchronous read",
    `const fs = require("node:fs");
     const buffer = Buffer.alloc(100);
     // From here on what is typed is the app's.
     const terminal = fs.openSync("/dev/tty", "r");
     process.stdout.write("sync? ");
     const length = fs.readSync(0, buffer);
     fs.closeSync(terminal);
     console.log("END", JSON.stringify(buffer.toString("utf8", 0, length)));`,
    [[/sync\?/, "hello\r"], [/END.*\r\n/]],
  ],
  [
    "a child process that asks",
    `require("node:child_process").spawn(process.execPath, ["-e", \`
       process.stdout.write("child? ");
       process.stdin.once("data", (line) => { console.log("child got", JSON.stringify(String(line))); process.exit(3); });
     \`], { stdio: "inherit" }).on("exit", (code) => console.log("END", code));`,
    [[/child\?/, "yes\r"], [/END.*\r\n/]],
  ],
];

describe("stdin in a terminal is that of plain node", { skip: plainMode || noTerminal }, () => {
  for (const [name, code, dialogue] of dialogues) {
    test(name, async () => {
      const seen: Record<string, string> = {};
      for (const [program, command] of programs) {
        const file = code.includes("await ") ? "main.mjs" : "main.js";
        await using app = new TempApp({ [file]: code + stays });
        // Nothing is typed ahead of the first question: that would be taken for keys of the command line.
        await using terminal = new PseudoTerminal([...command, file], { cwd: app.folder });
        for (const [awaited, typed] of dialogue) {
          await terminal.wait(awaited);
          if (typed !== undefined) terminal.type(typed);
        }
        seen[program] = terminal.output.replace(/unreloader: .*\r\n/g, "");
      }
      assert.equal(seen.unreloader, seen.node);
    });
  }
});

const readers: readonly (readonly [string, string])[] = [
  [
    "events",
    `let length = 0;
     process.stdin.on("data", (piece) => { length += piece.length; });
     process.stdin.on("end", () => console.log("ended", length)).on("close", () => console.log("closed"));
     process.stdin.on("end", () => setTimeout(() => console.log("END", process.stdin.destroyed), 20));`,
  ],
  [
    "an iterator over lines",
    `(async () => {
       for await (const line of require("node:readline").createInterface({ input: process.stdin })) console.log("line", line.length);
       console.log("END");
     })();`,
  ],
  [
    "an iterator over the stream itself",
    `(async () => {
       let text = "";
       for await (const piece of process.stdin.setEncoding("latin1")) text += piece;
       console.log("END", text.length);
     })();`,
  ],
  ["readFileSync(0)", `console.log("END", require("node:fs").readFileSync(0).length);`],
  [
    "a pipe to stdout, which goes on afterwards",
    `process.stdin.pipe(process.stdout);
     process.stdin.on("end", () => setImmediate(() => console.log("END")));`,
  ],
];

describe("stdin in a pipe or a file is that of plain node", { skip: plainMode }, () => {
  for (const [name, code] of readers) {
    for (const from of ["a pipe", "a file"]) {
      test(`${name}, from ${from}`, async () => {
        const seen: Record<string, string[]> = {};
        for (const [program, [node = "", ...args]] of programs) {
          const input = `first\nsecond\n${"x".repeat(200_000)}\n`;
          await using app = new TempApp({ "main.js": code + stays, input });
          const file = openSync(app.path("input"), "r");
          const child = spawn(node, [...args, "main.js"], {
            cwd: app.folder,
            stdio: [from === "a pipe" ? "pipe" : file, "pipe", "pipe"],
          });
          closeSync(file);
          const closed = once(child, "close");
          const lines = new OutputLines();
          lines.follow((child as ChildProcessWithoutNullStreams).stdout);
          child.stdin?.end(input);
          try {
            await lines.wait(/END/);
          } finally {
            child.kill("SIGKILL");
            await closed;
          }
          seen[program] = lines.all.filter((line) => !line.startsWith("unreloader: "));
        }
        assert.deepEqual(seen.unreloader, seen.node);
      });
    }
  }
});

/** An app under the command line that is asked through a pipe; what it prints on stdout is all that it answers. */
class Asked implements AsyncDisposable {
  readonly answers = new OutputLines();
  readonly told = new OutputLines();
  readonly child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown>;

  constructor(app: TempApp, flags: readonly string[] = []) {
    this.child = spawn(process.execPath, [cliFile, ...flags, "main.js"], { cwd: app.folder, stdio: "pipe" });
    this.#closed = once(this.child, "close");
    this.answers.follow(this.child.stdout);
    this.told.follow(this.child.stderr);
  }

  async ask(text: string, answer: RegExp): Promise<string> {
    const since = this.answers.all.length;
    this.child.stdin.write(text);
    return await this.answers.wait(answer, since);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGTERM");
    await this.#closed;
  }
}

/** A protocol over stdin and stdout, as MCP has it. */
const protocol = {
  "main.js": `const { createInterface } = require("node:readline");
const { answer } = require("./answer");
require("node:http").createServer(() => {}).listen(0);
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method } = JSON.parse(line);
  console.log(JSON.stringify({ id, result: answer(method) }));
});
console.log(JSON.stringify({ ready: true }));
`,
  "answer.js": `exports.answer = (method) => "one " + method;\n`,
};

describe("stdin of an app that is reloaded", { skip: plainMode }, () => {
  test("a script that only reads its input is not over before that has come", async () => {
    await using app = new TempApp({
      "main.mjs": `import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) console.log(line);
console.log("done");`,
    });
    // It was over before its turn came in one start of two, on Node 20.
    for (let start = 0; start < 5; start++) {
      const script = spawn(process.execPath, [cliFile, "--exit", "--quiet", "main.mjs"], { cwd: app.folder });
      const lines = new OutputLines();
      lines.follow(script.stdout);
      script.stdin.end("one\ntwo\n");
      const [code] = await within(once(script, "close"), () => `the end; output:\n${lines}`);
      assert.deepEqual([code, lines.all], [0, ["one", "two", "done"]]);
    }
  });

  test("a pipe that the app does not read changes nothing: lines of ours are on stdout", async () => {
    await using app = new TempApp({
      "main.js": `require("node:http").createServer((_, answer) => answer.end("one")).listen(0);\n`,
    });
    await using asked = new Asked(app);
    await asked.answers.wait(/^unreloader: listening on /);
    app.edit("main.js", "one", "two");
    await asked.answers.wait(/^unreloader: reloaded /);
  });

  test("a protocol over stdin and stdout: each request is answered once, by the newest code, and nothing else is on stdout", async () => {
    await using app = new TempApp(protocol);
    await using asked = new Asked(app);
    await asked.answers.wait(/ready/);
    let id = 0;
    const request = async (method: string) =>
      JSON.parse(await asked.ask(`${JSON.stringify({ id: ++id, method })}\n`, new RegExp(`"id":${id},`)));
    assert.deepEqual(await request("a"), { id: 1, result: "one a" });
    app.edit("answer.js", "one", "two");
    await asked.told.wait(/reloaded/);
    assert.deepEqual(await request("b"), { id: 2, result: "two b" });
    asked.child.kill("SIGUSR2");
    await asked.told.wait(/restarted/);
    assert.deepEqual(await request("c"), { id: 3, result: "two c" });
    app.edit("answer.js", "exports", "}{");
    await asked.told.wait(/failed/);
    assert.deepEqual(await request("d"), { id: 4, result: "two d" });
    for (const line of asked.answers.all) JSON.parse(line);
    assert.equal(asked.answers.matching(/"id"/).length, 4);
  });

  test("what nobody has read is the next version's, and a fresh worker's", async () => {
    await using app = new TempApp({
      // Takes one byte at each word, and leaves the rest in the stream.
      "main.js": `require("./reader");
require("node:http").createServer(() => {}).listen(0);
`,
      "reader.js": `const version = "one";
process.stdin.once("readable", () => console.log("took", version, String(process.stdin.read(1))));
console.log("begun", version);
`,
    });
    await using asked = new Asked(app);
    await asked.answers.wait(/begun one/);
    assert.equal(await asked.ask("abcdef", /took/), "took one a");
    app.edit("reader.js", "one", "two");
    assert.equal(await asked.answers.wait(/took two/), "took two b");
    asked.child.kill("SIGUSR2");
    const since = asked.answers.all.length;
    assert.equal(await asked.answers.wait(/took two/, since), "took two c");
    asked.child.kill("SIGUSR2");
    assert.equal(await asked.answers.wait(/took two/, since + 2), "took two d");
  });

  test("what comes while a fresh worker is started is not lost", async () => {
    await using app = new TempApp({
      "main.js": `process.stdin.setEncoding("utf8").on("data", (text) => process.stdout.write(text));
require("node:http").createServer(() => {}).listen(0);
console.log("begun");
`,
    });
    await using asked = new Asked(app);
    await asked.answers.wait(/begun/);
    let sent = 0;
    for (let restart = 0; restart < 3; restart++) {
      const since = asked.told.all.length;
      asked.child.kill("SIGUSR2");
      const restarted = asked.told.wait(/restarted/, since);
      let isOver = false;
      void restarted.then(() => {
        isOver = true;
      });
      while (!isOver) {
        await asked.ask(`line ${++sent}\n`, new RegExp(`^line ${sent}$`));
      }
      await restarted;
    }
    assert.ok(sent > 3, `only ${sent} lines`);
    assert.deepEqual(
      asked.answers.matching(/^line/),
      Array.from({ length: sent }, (_, index) => `line ${index + 1}`),
    );
  });

  test("raw mode and encoding that a module has set go with it", { skip: noTerminal }, async () => {
    await using app = new TempApp({
      "main.js": `require("./raw");
require("node:http").createServer(() => {}).listen(0, () => console.log("END"));
`,
      "raw.js": `process.stdin.setRawMode(true).setEncoding("utf8").on("data", (key) => console.log("key", typeof key, String(key)));\n`,
    });
    await using terminal = new PseudoTerminal([process.execPath, cliFile, "--no-keys", "main.js"], { cwd: app.folder });
    await terminal.wait(/listening/);
    assert.equal(await terminal.isRaw(), true);
    terminal.type("a");
    await terminal.wait(/key string a/);
    app.write("raw.js", `process.stdin.on("data", (line) => console.log("line", typeof line, String(line).trim()));\n`);
    await terminal.wait(/reloaded/);
    assert.equal(await terminal.isRaw(), false);
    terminal.type("b\r");
    await terminal.wait(/line object b/);
  });
});

describe("a thread that reads the terminal in raw mode and is ended by force", {
  skip: plainMode || noTerminal,
}, () => {
  test("leaves the terminal as it was, and what it has not read to the next one", async () => {
    const server = `require("node:http").createServer(() => {}).listen(0);\n`;
    await using app = new TempApp({
      "main.js": `process.stdin.setRawMode(true).once("readable", () => {
  console.log("took", String(process.stdin.read(1)));
  for (;;);
});
${server}`,
    });
    await using terminal = new PseudoTerminal([process.execPath, cliFile, "--no-keys", "main.js"], { cwd: app.folder });
    await terminal.wait(/listening/);
    terminal.type("abc");
    await terminal.wait(/took a/);
    app.write(
      "main.js",
      `let rest = "";
process.stdin.on("data", (text) => { rest += text; console.log("rest " + JSON.stringify([rest, process.stdin.isRaw])); });
${server}`,
    );
    await terminal.wait(/rest \["bc",false\]/);
    assert.equal(await terminal.isRaw(), false);
    terminal.type("d\r");
    await terminal.wait(/rest \["bcd\\n",false\]/);
  });
});

describe("the keys of the command line", { skip: plainMode || noTerminal }, () => {
  const files = {
    "main.js": `const { createInterface } = require("node:readline");
require("node:http").createServer((request, response) => {
  response.end();
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  lines.question("sure? ", (answer) => { console.log("answer", answer); lines.close(); });
}).listen(0);
`,
  };

  test("are read while the app does not read, and only then", async () => {
    await using app = new TempApp(files);
    await using terminal = new PseudoTerminal([process.execPath, cliFile, "main.js"], { cwd: app.folder });
    const line = await terminal.wait(/listening on http:\S+/);
    assert.equal(await terminal.isRaw(), true);
    terminal.type("w");
    await terminal.wait(/nothing has been reloaded yet/);
    await fetch(line.replace("listening on ", ""));
    await terminal.wait(/sure\?/);
    terminal.type("w r q\r");
    await terminal.wait(/answer w r q/);
    // Until they are read again, what is typed waits.
    terminal.type("w");
    await terminal.wait(/nothing has been reloaded yet/);
    terminal.type("q");
    assert.equal(await terminal.exit(), 0);
  });

  test("are not read with --no-keys, and the terminal is left as it is", async () => {
    await using app = new TempApp(files);
    await using terminal = new PseudoTerminal([process.execPath, cliFile, "--no-keys", "main.js"], { cwd: app.folder });
    await terminal.wait(/listening on http:\S+/);
    assert.equal(await terminal.isRaw(), false);
    terminal.type("\u0003");
    assert.equal(await terminal.exit(), 0);
  });

  test("the terminal is as it was while the app is stopped by Ctrl-Z, and at its end", async () => {
    await using app = new TempApp(files);
    const script = `set -m; "$@"; read x; fg > /dev/null; echo "over $?"; read x`;
    const command = ["bash", "-c", script, "bash", process.execPath, cliFile, "main.js"];
    await using terminal = new PseudoTerminal(command, { cwd: app.folder });
    await terminal.wait(/listening/);
    assert.equal(await terminal.isRaw(), true);
    terminal.type("\u001a");
    await terminal.wait(/Stopped/);
    assert.equal(await terminal.isRaw(), false);
    terminal.type("\r");
    terminal.type("w");
    await terminal.wait(/nothing has been reloaded yet/);
    terminal.type("q");
    await terminal.wait(/over 0/);
    assert.equal(await terminal.isRaw(), false);
    terminal.type("\r");
    assert.equal(await terminal.exit(), 0);
  });
});
