/**
 * Packages that apps of tests import. Those of test/packages/package.json are installed when the first test asks for one:
 * databases and what is built for them, which takes longer than everything else together.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { projectRoot } from "./project.js";

const folder = join(projectRoot, "test", "packages");
const own = join(projectRoot, "node_modules");
const INSTALL_LIMIT_MS = 15 * 60_000;
const LOOK_AGAIN_MS = 250;

/** Where each package lies. @throws when one is of test/packages, and those cannot be installed. */
export function packageFolders(names: readonly string[]): string[] {
  const others = testPackages();
  const isOwn = (name: string) => name === "unreloader" || existsSync(join(own, name));
  const apart = names.some((name) => !isOwn(name) && others.includes(name));
  if (apart) installTestPackages();
  return names.map((name) => {
    if (name === "unreloader") return projectRoot;
    // What is in both is the one that the app's other packages have.
    const other = join(folder, "node_modules", name);
    return apart && existsSync(other) ? other : join(own, name);
  });
}

/** Names of those that are installed apart. */
export function testPackages(): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return Object.keys(dependencies);
}

/** Once for each state of the lock file, whichever process comes first; the others wait for it. */
function installTestPackages(): void {
  const wanted = `${process.versions.modules} ${readFileSync(join(folder, "package-lock.json"), "utf8")}`;
  // npm empties node_modules first: what lies in it says that the installation went through.
  const installed = join(folder, "node_modules", ".installed");
  const isDone = () => existsSync(installed) && readFileSync(installed, "utf8") === wanted;
  const lock = join(folder, "installing.lock");
  while (!isDone()) {
    if (!take(lock)) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
      continue;
    }
    try {
      if (isDone()) return;
      const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
        cwd: folder,
        encoding: "utf8",
        timeout: INSTALL_LIMIT_MS,
        shell: process.platform === "win32",
      });
      if (npm.status !== 0) {
        throw new Error(
          "the packages of test/packages cannot be installed, so the tests that need them cannot run (the others can): " +
            `run \`npm ci\` in test/packages, with a network.\n${npm.error?.message ?? npm.stderr}`,
        );
      }
      writeFileSync(installed, wanted);
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

/** Whether this process is the one that installs. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (!isError(error, "EEXIST")) throw error;
  }
  const installer = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
  if (installer > 0 && !isAlive(installer)) rmSync(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (isError(error, "ESRCH")) return false;
    throw error;
  }
}

function isError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installTestPackages();
