/** Which kinds of edits the pending changes are. Pure. */
import path from "node:path";
import type { ModuleGraph } from "../graph/module-graph.js";
import type { ReloadPlan } from "../graph/plan.js";
import type { RecordedEdges } from "../graph/recorded.js";
import type { ResolvedOptions } from "../options/options.js";
import type { EditCode } from "../reports/edits.js";
import type { PendingChanges } from "./pending.js";

export interface PlannedEdits {
  readonly pending: PendingChanges;
  readonly plan: ReloadPlan;
  /** As it was before. */
  readonly graph: ModuleGraph;
  /** Modules that run the code of the pending changes already. */
  readonly stays: ReadonlySet<string>;
  /** Modules that are loaded for a file that they had read, each with that file. */
  readonly readers: ReadonlyMap<string, string>;
  readonly recorded: RecordedEdges;
  readonly scope: ResolvedOptions["scope"];
  /** Modules are evaluated again that nobody has edited, since a reload failed, or `clear()` was called. */
  readonly isDamaged: boolean;
}

/** Each changed file with its code; under "" what is no file's. */
export type EditCodes = ReadonlyMap<string, EditCode>;

export function editCodes(edits: PlannedEdits): EditCodes {
  const { pending, isDamaged } = edits;
  const codes = new Map<string, EditCode>();
  const reached = reachedByChange(edits);
  for (const file of pending.all()) codes.set(file, codeOf(file, edits, reached.get(file) ?? []));
  for (const file of pending.invalidated.keys()) codes.set(file, "UR18");
  if (isDamaged) codes.set("", codes.size === 0 ? "UR32" : "UR20");
  else if (codes.size === 0) codes.set("", "UR19");
  return codes;
}

/** A reload that began as `codes` say has come to `code` for all of them, where that reaches further. */
export function raised(codes: EditCodes, code: EditCode): EditCodes {
  return new Map([...codes].map(([file, before]) => [file, before > code ? before : code]));
}

/** Of files that decide how the app is started. */
export function configCode(files: readonly string[], envFiles: readonly string[]): EditCode {
  const codes = files.map((file): EditCode => {
    const name = path.basename(file);
    if (name.endsWith(".node")) return "UR53";
    if (PACKAGE_FILES.test(name) || file.includes(`${path.sep}node_modules${path.sep}`)) return "UR50";
    if (isEnvFile(name) || envFiles.includes(file)) return "UR52";
    return name.endsWith(".json") ? "UR51" : "UR54";
  });
  return codes.sort()[0] ?? "UR50";
}

/** Of files that a package has read, or that anything may have read. */
export function readCode(files: readonly string[]): EditCode {
  return files.some((file) => isEnvFile(path.basename(file))) ? "UR52" : "UR54";
}

function isEnvFile(name: string): boolean {
  return name.startsWith(".env") || name.endsWith(".env");
}

const PACKAGE_FILES =
  /^(package(-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|\.pnp\.[cm]?js)$/;

/** Change -> the files that are purged or loaded because of it, itself among them. */
function reachedByChange({ plan, readers }: PlannedEdits): Map<string, string[]> {
  const reached = new Map<string, string[]>();
  for (const file of new Set([...plan.purge, ...plan.load])) {
    const change = plan.why.get(file)?.at(-1) ?? file;
    const cause = readers.get(change) ?? change;
    const files = reached.get(cause);
    if (files) files.push(file);
    else reached.set(cause, [file]);
  }
  return reached;
}

function codeOf(file: string, edits: PlannedEdits, reached: readonly string[]): EditCode {
  const { pending, plan, graph, stays, readers, recorded, scope } = edits;
  if (reached.length === 0 && stays.has(file) && pending.changed.has(file)) return "UR01";
  const isNothing = plan.purge.length + plan.load.length === 0;
  if (isNothing) return graph.has(file) ? "UR10" : "UR00";
  if (scope === "app") return "UR30";
  if (!graph.has(file) && recorded.has(file)) return "UR19";
  // Those who look for a file, or list its folder, lead to themselves.
  if (pending.deleted.has(file)) return "UR16";
  if (pending.added.has(file) || pending.relinked.has(file)) return "UR15";
  if ([...readers.values()].includes(file)) return "UR14";
  if (reached.length === 0 && graph.get(file)?.evaluated !== true) return graph.has(file) ? "UR10" : "UR00";
  if (plan.accepted.some((accepted) => reached.includes(accepted))) return "UR17";
  if (plan.moved.some((moved) => reached.includes(moved))) return "UR21";
  const links = reached.map((each) => linkOf(each, edits));
  if (links.includes("recorded")) return "UR19";
  if (links.includes("written")) return "UR13";
  return reached.length > 1 ? "UR12" : "UR11";
}

/** How a file was reached: by what it has read while it was evaluated, or by more than that. */
function linkOf(file: string, { plan, graph, recorded }: PlannedEdits): "read" | "written" | "recorded" {
  const next = plan.why.get(file)?.[1];
  if (next === undefined || graph.observersOf(next).has(file)) return "read";
  if (recorded.dependentsOf(next).has(file)) return "recorded";
  return graph.writtenTogether(next).includes(file) ? "written" : "read";
}
