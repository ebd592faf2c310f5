/** `unreloader doctor`: looks at the machine and the project, and says what it means and what to do. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { attempt } from "../../common/attempt.js";
import { UnreloaderError } from "../../common/errors.js";
import { supervisorsOfUser } from "../../control/supervisors-of-user.js";
import { loadConfig } from "../../options/load-config.js";
import { parseOptions } from "../../options/options.js";
import type { Outcome } from "../commands/outcome.js";
import type { Finding, Manifest, Project } from "./finding.js";
import { checkLayout, checkNativeAddons, checkTools, checkTsconfig } from "./project-checks.js";
import { checkCache, checkEvents, checkInotify, checkNode, checkPort, checkTempFolder } from "./system-checks.js";

export async function doctor(root: string): Promise<Outcome> {
  const { manifest, broken } = readManifest(root);
  const project: Project = { root, manifest };
  const supervisors = await supervisorsOfUser();
  const own = supervisors.map(({ state }) => state).filter((state) => state.root === root);
  const { port, finding: configuration } = await checkConfiguration(root);
  const findings = [
    checkNode(),
    ...(broken ? [broken] : []),
    configuration,
    await checkEvents(project),
    checkInotify(project),
    checkTsconfig(project),
    checkLayout(project),
    checkNativeAddons(project),
    checkTools(project),
    await checkPort(
      port,
      new Set(supervisors.flatMap(({ state: { pid, launcher } }) => [pid, ...(launcher ? [launcher] : [])])),
    ),
    await checkTempFolder(),
    checkCache(project),
    {
      ...{ check: "supervisors", level: "ok" as const },
      found:
        own.length === 0 ? "none runs in this project" : own.map(({ pid, phase }) => `${pid} (${phase})`).join(", "),
    },
  ].filter((finding) => finding !== undefined);
  const isBad = findings.some(({ level }) => level === "bad");
  return { answer: { root, findings }, exitCode: isBad ? 4 : 0 };
}

/** `port`: that it asks for. A broken package.json is told as such. */
export async function checkConfiguration(root: string): Promise<{ finding?: Finding; port?: number }> {
  const check = "configuration";
  try {
    const config = await loadConfig([root]);
    if (config === undefined) return {};
    const { entry, port } = (config.options ?? {}) as { readonly entry?: unknown; readonly port?: unknown };
    // Without an entry it is named on the command line; any will do to look at the others.
    const named = entry === undefined ? { entry: process.argv[1] } : {};
    parseOptions(named, { cwd: root, origin: { type: "flags" }, config });
    const found = path.relative(root, config.file);
    return { finding: { check, level: "ok", found }, ...(typeof port === "number" && port > 0 && { port }) };
  } catch (error) {
    if (!(error instanceof UnreloaderError)) throw error;
    return {
      finding: {
        ...{ check, level: "bad", found: error.message },
        means: "the app cannot be started by `unreloader` alone",
        remedy: "correct it; docs/options.md of unreloader says what fits",
      },
    };
  }
}

function readManifest(root: string): { readonly manifest: Manifest; readonly broken?: Finding } {
  const text = attempt(() => readFileSync(path.join(root, "package.json"), "utf8"));
  if (text === undefined) return { manifest: {} };
  try {
    return { manifest: JSON.parse(text) as Manifest };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {
      manifest: {},
      broken: {
        ...{ check: "package.json", level: "bad", found: error.message },
        means: "Node cannot tell of which kind its modules are",
        remedy: "correct it",
      },
    };
  }
}
