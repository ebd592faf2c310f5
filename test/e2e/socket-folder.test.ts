/** The folder of the sockets between the public port and the app: whoever else uses the folder for temporary files. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { describe, test } from "node:test";
import { ensurePrivateFolder } from "../../src/common/protocol/private-folder.js";
import { SocketFolder } from "../../src/thread/socket-folder.js";
import { eventually } from "../support/deadline.js";
import { plainMode, runToExit, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

const files = {
  "main.js": `const http = require("node:http");
http.createServer((req, res) => res.end(require("./value") + " " + process.pid)).listen(Number(process.env.PORT), "127.0.0.1");
`,
  "value.js": `module.exports = "one";\n`,
};
const isRoot = process.getuid?.() === 0;

/** Of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

function socketFolders(base: string): string[] {
  return readdirSync(base).filter((name) => name.startsWith("unreloader-"));
}

/** Resolves when only `left` is there. */
async function cleaned(base: string, left: readonly string[]): Promise<void> {
  const fits = (names: readonly string[]) => JSON.stringify([...names].sort()) === JSON.stringify([...left].sort());
  await eventually(async () => socketFolders(base), fits, `only ${left.join(", ")} in ${base}`);
}

describe("the socket folder", () => {
  test("is this user's alone, and gone when it is removed", async () => {
    await using app = new TempApp({});
    const folder = new SocketFolder([app.folder]);
    assert.equal(lstatSync(folder.path).mode & 0o777, 0o700);
    await folder.remove();
    await folder.remove();
    assert.ok(!existsSync(folder.path));
  });

  test("is made in the next place when the first is missing, read-only, no folder, or has too long a path", async () => {
    await using app = new TempApp({ file: "" });
    mkdirSync(app.path("read-only"), { mode: 0o500 });
    const long = app.path("long".repeat(20));
    mkdirSync(long);
    for (const base of [app.path("missing"), app.path("file"), long, ...(isRoot ? [] : [app.path("read-only")])]) {
      const folder = new SocketFolder([base, app.folder]);
      assert.equal(path.dirname(folder.path), app.folder, base);
      await folder.remove();
    }
    chmodSync(app.path("read-only"), 0o700);
  });

  test("leaves enough of a path's length for the longest name of a socket", async () => {
    await using app = new TempApp({});
    // The longest base that is taken.
    let base = app.folder;
    for (;;) {
      const longer = `${base}${base === app.folder ? "/" : ""}x`;
      mkdirSync(longer);
      const folder = new SocketFolder([longer, app.folder]);
      await folder.remove();
      if (!folder.path.startsWith(longer)) break;
      base = longer;
    }
    const folder = new SocketFolder([base]);
    const server = createServer();
    server.listen(path.join(folder.path, "commands.sock"));
    await once(server, "listening");
    assert.ok(existsSync(path.join(folder.path, "commands.sock")), "the name was cut off");
    server.close();
    await folder.remove();
  });

  test("cannot be made anywhere: the error names each place and the remedy", () => {
    assert.throws(() => new SocketFolder(["/missing/folder"]), {
      code: "ERR_UNRELOADER_TEMP_FOLDER",
      message: /\/missing\/folder \(it does not exist\): set TMPDIR to a folder that you may write to/,
    });
  });

  test("leftovers of dead processes are removed, live ones and what is in doubt stay", async () => {
    await using app = new TempApp({ "elsewhere/kept": "" });
    const pid = await deadPid();
    const make = (name: string) => {
      mkdirSync(app.path(name));
      return name;
    };
    make(`unreloader-${pid}-empty`);
    make(`unreloader-${pid}-killed`);
    const killed = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen(process.argv[1], () => console.log())`,
      app.path(`unreloader-${pid}-killed`, "a.sock"),
    ]);
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    // As of another process namespace: its process id means nothing here, but it answers.
    const elsewhere = make(`unreloader-${pid}-live`);
    const server = createServer();
    server.listen(app.path(elsewhere, "1.sock"));
    await once(server, "listening");
    const ours = make(`unreloader-${process.pid}-empty`);
    symlinkSync(app.path("elsewhere"), app.path(`unreloader-${pid}-link`));
    writeFileSync(app.path(`unreloader-${pid}-file`), "");
    const kept = [elsewhere, ours, `unreloader-${pid}-link`, `unreloader-${pid}-file`];

    const folder = new SocketFolder([app.folder]);
    await cleaned(app.folder, [...kept, path.basename(folder.path)]);
    await folder.remove();
    assert.ok(existsSync(app.path("elsewhere", "kept")));
    assert.ok(existsSync(app.path(elsewhere, "1.sock")));
    server.close();
  });

  test("another user's leftover stops nothing", { skip: !isRoot && "needs root" }, async () => {
    await using app = new TempApp(files);
    const name = `unreloader-${await deadPid()}-x`;
    mkdirSync(path.join(app.scratch, name), { mode: 0o700 });
    // Root may look into it all the same: what counts is that it does not.
    chownSync(path.join(app.scratch, name), 65534, 65534);
    const folder = new SocketFolder([app.scratch]);
    await folder.remove();
    assert.deepEqual(socketFolders(app.scratch), [name]);
  });

  test("is made again, unless somebody else has taken its place", async () => {
    await using app = new TempApp({});
    const folder = new SocketFolder([app.folder]);
    rmSync(folder.path, { recursive: true });
    folder.ensure();
    assert.deepEqual(readdirSync(folder.path), ["owner.sock"]);
    chmodSync(folder.path, 0o777);
    folder.ensure();
    assert.equal(lstatSync(folder.path).mode & 0o777, 0o700);
    rmSync(folder.path, { recursive: true });
    symlinkSync(app.folder, folder.path);
    assert.throws(() => folder.ensure(), { code: "EACCES" });
    assert.throws(() => ensurePrivateFolder(folder.path), { code: "EACCES" });
    rmSync(folder.path);
    await folder.remove();
  });
});

describe("an app whose socket folder", { skip: plainMode }, () => {
  const removals: Readonly<Record<string, (folder: string) => void>> = {
    "is removed": (folder) => rmSync(folder, { recursive: true }),
    "loses its sockets": (folder) => {
      for (const name of readdirSync(folder)) rmSync(path.join(folder, name));
    },
    "is removed with the folder around it": (folder) => rmSync(path.dirname(folder), { recursive: true }),
  };
  for (const [how, remove] of Object.entries(removals)) {
    test(`${how} goes on in the same worker, reloads and restarts`, async () => {
      await using app = new TempApp(files);
      await using served = await serve(app, "main.js");
      const [name = ""] = socketFolders(app.scratch);
      const folder = path.join(app.scratch, name);
      assert.match((await served.get("/")).body, /^one \d+$/);

      remove(folder);
      assert.match((await served.getOnce("/")).body, /^one \d+$/);
      assert.match((await served.get("/")).body, /^one \d+$/);

      remove(folder);
      app.edit("value.js", "one", "two");
      assert.match((await served.getOnce("/")).body, /^two \d+$/);

      remove(folder);
      app.edit("main.js", "require", "  require");
      assert.match((await served.getOnce("/")).body, /^two \d+$/);
      assert.deepEqual(served.lines.matching(/worker exited|restarted|error/), []);

      remove(folder);
      app.write("package.json", `{ "name": "other" }\n`);
      assert.match((await served.getOnce("/")).body, /^two \d+$/);
      assert.equal(served.lines.matching(/restarted/).length, 1);
      assert.deepEqual(served.lines.matching(/worker exited|error/), []);
      assert.equal(lstatSync(folder).mode & 0o777, 0o700);
    });
  }

  test("cannot be made ends with one line that says what to do", async () => {
    await using app = new TempApp(files);
    // Every other place is shut off, too, when it is the entry point that looks.
    const code = `
      const fs = require("node:fs");
      fs.mkdtempSync = () => { throw Object.assign(new Error("no"), { code: "EROFS" }); };
      require("node:module").syncBuiltinESMExports();
    `;
    app.write("read-only.cjs", code);
    const { code: exitCode, lines } = await runToExit(app.folder, ["--no-launcher", "main.js"], {
      NODE_OPTIONS: `--require ${app.path("read-only.cjs")}`,
    });
    assert.equal(exitCode, 1);
    assert.equal(lines.all.length, 1, lines.toString());
    assert.match(lines.toString(), /^unreloader: no folder for sockets can be made in .*EROFS.*: set TMPDIR to /);
  });

  for (const [what, base] of [
    ["too long", "deep/".repeat(30)],
    ["missing", "missing"],
  ] as const) {
    test(`would be in a temporary folder that is ${what} is served all the same`, async () => {
      await using app = new TempApp(files);
      if (what === "too long") mkdirSync(app.path(base), { recursive: true });
      await using served = await serve(app, "main.js", { env: { TMPDIR: app.path(base) } });
      assert.match((await served.get("/")).body, /^one \d+$/);
    });
  }

  test("is left by SIGKILL is cleaned up by the next start, with what was left in the project", async () => {
    await using app = new TempApp(files);
    const killed = await serve(app, "main.js");
    await killed.stop("SIGKILL");
    const [left = ""] = socketFolders(app.scratch);
    await using next = await serve(app, "main.js");
    await eventually(
      async () => existsSync(path.join(app.scratch, left)),
      (exists) => !exists,
      `the removal of ${left}`,
    );
    const announced = () =>
      readdirSync(app.path("node_modules/.cache/unreloader")).filter((name) => name.startsWith("supervisor-"));
    await eventually(
      async () => announced(),
      (names) => names.length === 1,
      "one announcement",
    );
    assert.equal((await next.get("/")).body, `one ${next.pid}`);
  });

  test("is used when a second signal ends the process at once is removed with it", async () => {
    const slow = `const http = require("node:http");
http.createServer((req, res) => console.log("asked")).listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGINT", () => { console.log("told"); return new Promise(() => {}); });
`;
    await using app = new TempApp({ "main.js": slow });
    const served = await serve(app, "main.js");
    served.getOnce("/").catch(() => {});
    await served.lines.wait(/asked/);
    process.kill(served.pid ?? 0, "SIGINT");
    await served.lines.wait(/told/);
    const { code } = await served.stop("SIGINT");
    assert.equal(code, 1);
    assert.deepEqual(app.leftInScratch(), []);
    assert.deepEqual(socketFolders(app.scratch), []);
    const announced = readdirSync(app.path("node_modules/.cache/unreloader")).filter((name) =>
      name.startsWith("supervisor-"),
    );
    assert.deepEqual(announced, []);
  });
});
