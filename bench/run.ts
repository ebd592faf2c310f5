/**
 * npm run bench -- [--quick] [--sizes 50,500,2000] [--only edit,start,load,recover,fresh] [--kinds typescript,commonjs] [--out FOLDER]
 *     [--beside CLI]
 * `--beside`: the `lib/src/terminal/cli.js` of another build, which is measured beside this one, taking turns with it.
 * A full run writes bench/results/NODE-VERSION.json and .md; any other only prints, unless --out is given.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type AppKind, type BenchApp, generateApp } from "./app-generator.js";
import { measureFreshWorkers } from "./fresh-worker.js";
import { measureRecoveries } from "./recovery.js";
import { markdownOf, type Row, resultsOf } from "./results.js";
import { type Amount, measureEdits, measureLoad, measureStarts, type ScenarioName } from "./scenarios.js";
import {
  bareSubject,
  baselinesFor,
  build,
  isBuilt,
  type Subject,
  unreloader,
  watchers,
  withoutLauncher,
  withoutReloads,
} from "./subjects.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    sizes: { type: "string" },
    only: { type: "string" },
    kinds: { type: "string" },
    out: { type: "string" },
    baselines: { type: "boolean", default: false },
    beside: { type: "string" },
  },
});

const sizes = (values.sizes ?? (values.quick ? "50,500" : "50,500,2000")).split(",").map(Number);
const scenarios = (values.only ?? "edit,start,load,recover,fresh").split(",") as ScenarioName[];
const kinds = (values.kinds ?? "typescript,commonjs").split(",") as AppKind[];
const amount: Amount = values.quick ? { fast: 15, slow: 3, requests: 8000 } : { fast: 60, slow: 10, requests: 40_000 };
const full = !values.quick && !values.sizes && !values.only && !values.kinds && !values.baselines && !values.beside;
const out = values.out ?? (full ? fileURLToPath(new URL("../../bench/results", import.meta.url)) : undefined);

if (!values.baselines && !isBuilt()) throw new Error("lib/src/terminal/cli.js is missing: run `npm run build` first");
if (values.beside !== undefined && !existsSync(values.beside))
  throw new Error(`--beside ${values.beside}: there is no such file; name the built command line of another checkout`);
const other = values.beside === undefined ? [] : [build("unreloader, the other build", path.resolve(values.beside))];
const products: Subject[] = values.baselines ? [] : [unreloader, ...other];
/** Only the cost of a request is of interest where nothing is reloaded. */
const loadProducts: Subject[] = values.baselines ? [] : [withoutReloads];
const startProducts: Subject[] = values.baselines ? [] : [withoutLauncher, withoutReloads];

const LABELS: Record<AppKind, string> = {
  typescript: "TypeScript, ES modules",
  javascript: "JavaScript, ES modules",
  commonjs: "JavaScript, CommonJS",
};

const workFolder = mkdtempSync(path.join(tmpdir(), "unreloader-bench-"));
try {
  const rows: Row[] = [];
  for (const kind of kinds) for (const size of sizes) rows.push(...(await measureApp(kind, size)));
  // The app that recovers is one of its own, whatever kinds and sizes are measured.
  if (scenarios.includes("recover"))
    rows.push(...(await measureRecoveries([...products, ...watchers()], workFolder, amount.slow, said)));
  if (scenarios.includes("fresh") && !values.baselines)
    rows.push(...said(await measureFreshWorkers(workFolder, amount.slow)));
  const results = resultsOf(rows);
  console.log(markdownOf(results));
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    writeFileSync(path.join(out, `${process.version}.json`), `${JSON.stringify(results, null, 2)}\n`);
    writeFileSync(path.join(out, `${process.version}.md`), markdownOf(results));
    console.log(`written to ${out}`);
  }
} finally {
  rmSync(workFolder, { recursive: true, force: true });
}

async function measureApp(kind: AppKind, size: number): Promise<Row[]> {
  const apps = new Map<Subject, BenchApp>();
  // An app of its own for each subject: one that watches must not see what is written for another.
  const appFor = (subject: Subject): BenchApp => {
    const folder = path.join(workFolder, `${kind}-${size}-${apps.size}`);
    const app = apps.get(subject) ?? generateApp(folder, subject.appKind(kind), size);
    apps.set(subject, app);
    return app;
  };
  const label = LABELS[kind];
  const subjects = [...products, ...baselinesFor(kind)];
  const rows: Row[] = [];
  if (scenarios.includes("start"))
    rows.push(...said(await measureStarts([...subjects, ...startProducts, bareSubject(kind)], appFor, label, amount)));
  if (scenarios.includes("edit")) rows.push(...said(await measureEdits(subjects, appFor, label, amount)));
  // The cost of a request does not depend on how many modules there are.
  if (scenarios.includes("load") && size === sizes[0])
    rows.push(...said(await measureLoad([...products, ...loadProducts, bareSubject(kind)], appFor, label, amount)));
  return rows;
}

/** A full run takes many minutes: each number is shown when it is there. */
function said(rows: Row[]): Row[] {
  for (const { app, modules, what, subject, unit, summary } of rows)
    console.error(`${app}, ${modules} modules, ${what}, ${subject}: ${summary.median.toPrecision(3)} ${unit}`);
  return rows;
}
