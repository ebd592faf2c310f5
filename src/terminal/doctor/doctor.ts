/** `unreloader doctor`: looks at the machine and the project, and says what it means and what to do. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { attempt } from "../../common/attempt.js";
import { supervisorsOfUser } from "../../control/supervisors-of-user.js";
import type { Outcome } from "../commands/outcome.js";
import type { Finding, Manifest, Project } from "./finding.js";
import { checkLayout, checkNativeAddons, checkTools, checkTsconfig } from "./project-checks.js";
import { checkCache, checkEvents, checkInotify, checkNode, checkPort, checkTempFolder } from "./system-checks.js";

export async function doctor(root: string): Promise<Outcome> {
  const { manifest, broken } = readManifest(root);
  const project: Project = { root, manifest };
  const supervisors = await supervisorsOfUser();
  const own = supervisors.map(({ state }) => state).filter((state) => state.root === root);
  const findings = [
    checkNode(),
    ...(broken ? [broken] : []),
    await checkEvents(project),
    checkInotify(project),
    checkTsconfig(project),
    checkLayout(project),
    checkNativeAddons(project),
    checkTools(project),
    await checkPort(undefined, new Set(supervisors.map(({ state }) => state.pid))),
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
