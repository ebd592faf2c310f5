/** What the project has: tsconfig.json, packages and how they are laid out, native code, other tools that reload. */
import { existsSync, lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { attempt } from "../../common/attempt.js";
import { PackageScopes } from "../../common/compile/package-scope.js";
import { Tsconfigs } from "../../common/compile/tsconfig.js";
import { CompileError } from "../../common/errors.js";
import type { Finding, Project } from "./finding.js";

export function checkTsconfig({ root }: Project): Finding {
  const check = "tsconfig.json";
  try {
    const { file, settings } = new Tsconfigs(new PackageScopes()).of(path.join(root, "any.ts"));
    if (file === undefined)
      return { check, level: "ok", found: "none: TypeScript is compiled as Node strips its types" };
    const told = Object.entries(settings).filter(([, value]) => value === true || typeof value === "string");
    const found = `${path.relative(root, file)}${told.length > 0 ? ` (${told.map(([name, value]) => `${name} ${String(value)}`).join(", ")})` : ""}`;
    return { check, level: "ok", found };
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    return {
      ...{ check, level: "bad", found: error.message },
      means: "no TypeScript file can be compiled",
      remedy: "correct it; what it extends has to be installed",
    };
  }
}

const LOCKFILES: Readonly<Record<string, string>> = {
  "package-lock.json": "npm",
  "npm-shrinkwrap.json": "npm",
  "yarn.lock": "yarn",
  "pnpm-lock.yaml": "pnpm",
  "bun.lock": "bun",
  "bun.lockb": "bun",
};

export function checkLayout({ root, manifest }: Project): Finding {
  const check = "packages";
  const has = (name: string): boolean => existsSync(path.join(root, name));
  const managers = [
    ...new Set(
      Object.keys(LOCKFILES)
        .filter(has)
        .map((name) => LOCKFILES[name]),
    ),
  ];
  const named = managers.join(" and ") || "no lockfile";
  if (!has("package.json"))
    return {
      ...{ check, level: "warn", found: `no package.json in ${root}` },
      means: "the folder of the entry counts as the project: files above it are not watched",
      remedy: "run this in the folder of the project, or name it by --root",
    };
  if (has(".pnp.cjs") || has(".pnp.js"))
    return {
      ...{ check, level: "warn", found: `${named} with Plug'n'Play` },
      means: "packages are found by a hook of Node's loader, which each start has to load",
      remedy: "start by `yarn unreloader`, or use nodeLinker: node-modules",
    };
  const wanted = Object.keys(manifest.dependencies ?? {}).length;
  if (wanted > 0 && !has("node_modules") && !isInstalledAbove(root))
    return {
      ...{
        check,
        level: "bad",
        found: `${wanted} ${wanted === 1 ? "dependency" : "dependencies"}, and no node_modules`,
      },
      means: "the app cannot be started",
      remedy: `${managers[0] ?? "npm"} install`,
    };
  if (managers.length > 1)
    return {
      ...{ check, level: "warn", found: `lockfiles of ${named}` },
      means: "a change in either takes a fresh worker, and they may install different versions",
      remedy: "remove those that are not used",
    };
  const isLinked = attempt(() => lstatSync(path.join(root, "node_modules", ".pnpm")))?.isDirectory() === true;
  return { check, level: "ok", found: isLinked ? `${named}, linked packages` : named };
}

/** A member of a workspace may have all of its packages in the folder above. */
function isInstalledAbove(root: string): boolean {
  for (let folder = path.dirname(root); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "node_modules"))) return true;
    if (folder === path.dirname(folder)) return false;
  }
}

export function checkNativeAddons({ root }: Project): Finding {
  const check = "native addons";
  const addons = packageFolders(path.join(root, "node_modules")).filter(({ folder }) => isNative(folder));
  if (addons.length === 0) return { check, level: "ok", found: "none among the installed packages" };
  return {
    ...{ check, level: "ok", found: addons.map(({ name }) => name).join(", ") },
    means:
      "native code is loaded once in a thread: a fresh worker loads it again, which code that is not context-aware refuses",
    remedy: "should a fresh worker fail by that, `unreloader` says so; start it again then",
  };
}

function packageFolders(folder: string): { name: string; folder: string }[] {
  const names = (attempt(() => readdirSync(folder)) ?? []).filter((name) => !name.startsWith("."));
  return names.flatMap((name) => {
    const inner = path.join(folder, name);
    if (!name.startsWith("@")) return [{ name, folder: inner }];
    return packageFolders(inner).map((scoped) => ({ ...scoped, name: `${name}/${scoped.name}` }));
  });
}

function isNative(folder: string): boolean {
  if (existsSync(path.join(folder, "binding.gyp")) || existsSync(path.join(folder, "prebuilds"))) return true;
  return (attempt(() => readdirSync(folder)) ?? []).some((name) => name.endsWith(".node"));
}

/** What restarts by itself, in the words of scripts. */
const RELOADERS: readonly (readonly [RegExp, string])[] = [
  [/\bnodemon\b/, "nodemon"],
  [/\btsx\b.*\bwatch\b/, "tsx watch"],
  [/\b(?:ts-node-dev|tsnd)\b/, "ts-node-dev"],
  [/\bnode-dev\b/, "node-dev"],
  [/\bnode\b.*--watch\b/, "node --watch"],
  [/\bvite-node\b.*(?:-w\b|--watch\b)/, "vite-node --watch"],
  [/\bnest\b.*\bstart\b.*--watch\b/, "nest start --watch"],
  [/\bpm2\b.*--watch\b/, "pm2 --watch"],
];

export function checkTools({ root, manifest }: Project): Finding {
  const check = "other tools";
  const scripts = Object.entries(manifest.scripts ?? {});
  const nested = scripts.flatMap(([name, script]) => {
    if (!/\bunreloader\b/.test(script)) return [];
    const tool = RELOADERS.find(([pattern]) => pattern.test(script))?.[1];
    return tool === undefined ? [] : [`script ${name}: ${tool} around unreloader`];
  });
  if (nested.length > 0)
    return {
      ...{ check, level: "warn", found: nested.join("; ") },
      means: "a save restarts unreloader, which is what it is there to make needless",
      remedy: "take the other tool out of the script",
    };
  const others = scripts.flatMap(([name, script]) => {
    const tool = RELOADERS.find(([pattern]) => pattern.test(script))?.[1];
    return tool === undefined ? [] : [`script ${name}: ${tool}`];
  });
  if (existsSync(path.join(root, "nodemon.json"))) others.push("nodemon.json");
  if (others.length === 0) return { check, level: "ok", found: "nothing else reloads" };
  return {
    ...{ check, level: "ok", found: others.join("; ") },
    means: "two that reload the same app take each other's port",
    remedy: "start the app by one of them; docs/coming-from.md of unreloader says what takes the place of what",
  };
}
