/** `unreloader init` and `doctor`: what would be written, and what is found. */
import assert from "node:assert/strict";
import { chmodSync, statfsSync } from "node:fs";
import { test } from "node:test";
import { isRemote } from "../../src/files/file-system.js";
import { checkConfiguration } from "../../src/terminal/doctor/doctor.js";
import { checkLayout, checkNativeAddons, checkTools, checkTsconfig } from "../../src/terminal/doctor/project-checks.js";
import {
  checkCache,
  checkEvents,
  checkInotify,
  checkNode,
  checkPort,
  checkTempFolder,
  type EventFacts,
} from "../../src/terminal/doctor/system-checks.js";
import { findEntry } from "../../src/terminal/init/find-entry.js";
import { planInit } from "../../src/terminal/init/plan-init.js";
import { TempApp } from "../support/temp-app.js";

function planned(files: Readonly<Record<string, string>>) {
  const steps = planInit({ entry: "src/main.ts", textOf: (file) => files[file] });
  return Object.fromEntries(steps.map((step) => [step.file, step]));
}

test("init adds to what is there, and leaves alone what would be lost", () => {
  const fresh = planned({ "package.json": `{\n\t"name": "a"\n}\n` });
  assert.equal(fresh["package.json"]?.text, `{\n\t"name": "a",\n\t"scripts": {\n\t\t"dev": "unreloader"\n\t}\n}\n`);
  assert.equal(JSON.parse(fresh["unreloader.config.json"]?.text ?? "").entry, "src/main.ts");
  assert.match(fresh["AGENTS.md"]?.text ?? "", /^## The running app\n\n.*`npm run dev`/);
  const launch = `{ // mine\n "configurations": [] }`;
  const used = planned({
    "package.json": `{"scripts":{"dev":"nodemon a.js"}}`,
    ".vscode/launch.json": launch,
    "AGENTS.md": "# Mine\n",
    "unreloader.config.ts": "export default {};",
  });
  assert.deepEqual(JSON.parse(used["package.json"]?.text ?? "").scripts, {
    dev: "nodemon a.js",
    "dev:reload": "unreloader",
  });
  assert.deepEqual(
    [used[".vscode/launch.json"]?.text, used["unreloader.config.ts"]?.text, used["unreloader.config.ts"]?.because],
    [undefined, undefined, "there is one"],
  );
  assert.match(used[".vscode/launch.json"]?.because ?? "", /by hand/);
  assert.match(used["AGENTS.md"]?.text ?? "", /^# Mine\n\n## The running app\n\n.*`npm run dev:reload`/);
  const done = Object.fromEntries(Object.values(fresh).map(({ file, text = "" }) => [file, text]));
  for (const { text, because } of Object.values(planned(done)))
    assert.ok(text === undefined && because, "written twice");
});

test("the entry is what scripts start, then what is called so, and never what was built", () => {
  const found = (manifest: object, ...files: string[]) => findEntry({ manifest, has: (file) => files.includes(file) });
  assert.equal(
    found({ scripts: { dev: "nodemon --exec ts-node ./src/boot.ts" } }, "src/boot.ts", "index.js"),
    "src/boot.ts",
  );
  assert.equal(found({ scripts: { start: "node dist/main.js" } }, "dist/main.js", "src/main.ts"), "src/main.ts");
  assert.equal(found({ main: "./lib/x.js" }, "lib/x.js"), "lib/x.js");
  assert.equal(found({ scripts: { test: "jest" } }, "README.md"), undefined);
});

test("doctor says what it means and what to do", async () => {
  await using app = new TempApp({
    "package.json": `{ "dependencies": { "a": "1" }, "scripts": { "dev": "nodemon --exec unreloader a.js", "w": "tsx watch a.ts" } }`,
    "tsconfig.json": `{ "extends": "./missing.json" }`,
  });
  const project = () => ({ root: app.folder, manifest: JSON.parse(app.read("package.json")) });
  const bare = checkLayout(project());
  assert.deepEqual([bare.level, bare.remedy], ["bad", "npm install"]);
  assert.deepEqual([checkTsconfig(project()).level, typeof checkTsconfig(project()).remedy], ["bad", "string"]);
  const tools = checkTools(project());
  assert.deepEqual([tools.level, tools.found], ["warn", "script dev: nodemon around unreloader"]);
  app.write("package.json", `{ "scripts": { "w": "tsx watch a.ts" } }`);
  assert.deepEqual([checkTools(project()).level, checkTools(project()).found], ["ok", "script w: tsx watch"]);
  for (const file of ["yarn.lock", "package-lock.json", "node_modules/@a/b/binding.gyp", "node_modules/c/c.js"])
    app.write(file, "");
  assert.equal(checkLayout(project()).level, "warn");
  assert.equal(checkNativeAddons(project()).found, "@a/b");
  app.write("tsconfig.json", `{ "compilerOptions": { "jsx": "react-jsx" } }`);
  assert.equal(checkTsconfig(project()).level, "ok");
  assert.deepEqual(
    ["18.0.0", "20.18.0", "24.1.0", "23.0.0"].map((version) => checkNode(version).level),
    ["bad", "bad", "ok", "warn"],
  );
  assert.equal((await checkEvents(project())).level, "ok");
  assert.deepEqual([checkCache(project()).level, (await checkTempFolder()).level], ["ok", "ok"]);
  assert.deepEqual(await checkConfiguration(app.folder), {});
  app.write("unreloader.config.json", `{ "prot": 1 }`);
  const { finding: wrong } = await checkConfiguration(app.folder);
  assert.deepEqual([wrong?.level, wrong?.found.includes("prot")], ["bad", true], wrong?.found);
  app.write("unreloader.config.json", `{ "port": 4000 }`);
  assert.equal((await checkConfiguration(app.folder)).port, 4000);
  if (process.platform === "linux") {
    const few = checkInotify(project(), (name) => (name === "max_user_watches" ? 1 : 128));
    assert.deepEqual([few?.level, few?.found.startsWith("1 watches and 128 ")], ["warn", true]);
    assert.equal(checkInotify(project())?.level, "ok");
  }
  app.remove("node_modules");
  app.write("node_modules", "a file");
  const { level, found } = checkCache(project());
  assert.deepEqual([level, /cannot be written: ENOTDIR/.test(found)], ["warn", true], found);
  assert.match((await checkEvents(project())).found, /^they cannot be tried: ENOTDIR/);
  app.remove("node_modules");
  app.write(".pnp.cjs", "");
  assert.match(checkLayout(project()).remedy ?? "", /yarn unreloader/);
  if (process.getuid?.() === 0) return;
  app.write("node_modules/.cache/unreloader/x", "");
  chmodSync(app.path("node_modules/.cache/unreloader"), 0o500);
  assert.equal(checkCache(project()).level, "warn");
  chmodSync(app.path("node_modules/.cache/unreloader"), 0o700);
});

test("doctor tells of file systems, events and folders for temporary files that are not as they should be", async () => {
  await using app = new TempApp({ "package.json": "{}", "a file": "" });
  const { folder: root } = app;
  const types = [0x6969, 0x65735546, 0xef53];
  const isLinux = process.platform === "linux";
  const remote = types.map((type) => isRemote(root, () => type));
  assert.deepEqual(remote, [isLinux, isLinux, false], "NFS, FUSE and a disk");
  assert.equal(
    isRemote(root, () => statfsSync(app.path("gone")).type),
    false,
    "it cannot be found out",
  );
  const at = (facts: Partial<EventFacts>) =>
    checkEvents({ root }, { isRemote: () => false, probe: async () => "prompt", ...facts });
  const far = await at({ isRemote: () => true });
  assert.deepEqual([far.level, /of another machine$/.test(far.found), far.remedy !== undefined], ["warn", true, true]);
  const none = await at({ probe: async () => "none" });
  assert.deepEqual(
    [none.level, none.found, /--watch poll/.test(none.remedy ?? "")],
    ["warn", "none arrive here", true],
  );
  assert.equal((await at({ probe: async () => "late" })).level, isLinux ? "warn" : "ok");
  const temp = await checkTempFolder([app.path("a file")]);
  assert.deepEqual([temp.level, temp.found.includes("a file"), /TMPDIR/.test(temp.remedy ?? "")], ["bad", true, true]);
});

test("doctor names who has the port", async () => {
  const server = process.getBuiltinModule("node:net").createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as { port: number };
    const taken = await checkPort(port, new Set());
    assert.deepEqual([taken.level, taken.found.includes(`${port} is taken by`)], ["warn", true]);
    if (process.platform === "linux") {
      assert.match(taken.found, new RegExp(`\\(pid ${process.pid}\\)$`));
      assert.equal((await checkPort(port, new Set([process.pid]))).level, "ok");
    }
  } finally {
    server.close();
  }
});
