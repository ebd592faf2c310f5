/**
 * Packages that apps of tests import. Those of test/packages/package.json are installed when the first test asks for one:
 * databases and what is built for them, which takes longer than everything else together.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NODE_MAJOR } from "../../src/common/node-version.js";
import { projectRoot } from "./project.js";

const folder = join(projectRoot, "test", "packages");
/** Packages that take the place of older ones, which Node 20 needs. */
const ofNewerNodes = join(folder, "node-22");
const isNewerNode = NODE_MAJOR >= 22;
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
  return packagesOf(folder);
}

/** Once for each state of the lock file, whichever process comes first; the others wait for it. */
function installTestPackages(): void {
  const locks = [folder, ...(isNewerNode ? [ofNewerNodes] : [])].map((one) => join(one, "package-lock.json"));
  const wanted = `${process.versions.modules} ${locks.map((lock) => readFileSync(lock, "utf8")).join("")}`;
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
      install(folder);
      if (isNewerNode) replaceByNewer();
      writeFileSync(installed, wanted);
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

function install(where: string): void {
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: where,
    encoding: "utf8",
    timeout: INSTALL_LIMIT_MS,
    // Of the compilers, for addons: optimized, SQLite takes three times as long to build.
    env: { ...process.env, CFLAGS: "-O0", CXXFLAGS: "-O0" },
    shell: process.platform === "win32",
  });
  if (npm.status === 0) return;
  throw new Error(
    "the packages of test/packages cannot be installed, so the tests that need them cannot run (the others can): " +
      `run \`npm ci\` in ${where}, with a network.\n${npm.error?.message ?? npm.stderr}`,
  );
}

/** Libraries load such a package from the folder that they themselves are in. */
function replaceByNewer(): void {
  install(ofNewerNodes);
  for (const name of packagesOf(ofNewerNodes)) {
    const place = join(folder, "node_modules", name);
    rmSync(place, { recursive: true, force: true });
    cpSync(join(ofNewerNodes, "node_modules", name), place, { recursive: true });
  }
}

function packagesOf(where: string): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(where, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return Object.keys(dependencies);
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
