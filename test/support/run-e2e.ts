/**
 * `npm run test:e2e`: all files of test/e2e, one more at a time than there are cores, since their apps wait a lot. Meanwhile
 * test/packages are installed, which takes minutes where databases are compiled: files that need them come last.
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { spec, tap } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { testPackages } from "./packages.js";

const FILE_LIMIT_MS = 600_000;
/** So that none of them is the last one alone. */
const LONGEST = ["memory-soak-reloads", "history-freshness", "leaks", "closed-ports", "late-listen", "launcher", "end"];

const folder = fileURLToPath(new URL("../e2e", import.meta.url));
const packages = testPackages().map((name) => `"${name}"`);
const needsPackages = (file: string): boolean => {
  const text = readFileSync(file, "utf8");
  return packages.some((name) => text.includes(name));
};
const all = readdirSync(folder).filter((name) => name.endsWith(".test.js"));
const first = LONGEST.map((topic) => `${topic}.test.js`);
const files = [...first, ...all.filter((name) => !first.includes(name)).sort()].map((name) => join(folder, name));

// A test that needs them waits for them, and tells if they cannot be had.
spawn(process.execPath, [fileURLToPath(new URL("packages.js", import.meta.url))], { stdio: "inherit" });
run({
  files: [...files.filter((file) => !needsPackages(file)), ...files.filter(needsPackages)],
  concurrency: availableParallelism() + 1,
  timeout: FILE_LIMIT_MS,
})
  .on("test:fail", () => {
    process.exitCode = 1;
  })
  .compose(process.stdout.isTTY ? new spec() : tap)
  .pipe(process.stdout);
