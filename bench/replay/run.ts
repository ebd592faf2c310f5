/**
 * npm run replay -- REPOSITORY-FOLDER ENTRY [options]: the last commits of a git repository, or random edits, replayed as saves
 * under unreloader; after each, are the answers those of a fresh process? bench/README.md says more. `--help` lists the options.
 * Exit code 0: all were the same; 1: some were not; 2: nothing could be replayed.
 */
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../random.js";
import { get, parseRequests, USUAL_MASKS } from "./answers.js";
import type { PlainRunner } from "./app-process.js";
import { EditSteps } from "./edit-steps.js";
import { Replay } from "./replay.js";
import { type Commit, ReplayError, Repository } from "./repository.js";
import { allSame, type Replayed, reportOf } from "./results.js";
import { CommitSteps, type Steps } from "./steps.js";

const HELP = `npm run replay -- REPOSITORY-FOLDER ENTRY [options]

  ENTRY                the app's main file, relative to its folder
  --commits N          the last N commits that have changed something in the app's folder (100)
  --tip REVISION       the newest commit (HEAD)
  --from REVISION      the oldest commit, when it is one of the last N
  --edits N            instead of commits: N random edits of the newest commit's files, half of them taken back
  --seed N             which edits (a new one; it is printed)
  --for SECONDS        begins no commit or edit after that
  --folder PATH        the app's folder in the repository (the repository's own)
  --touching PATH      only commits that have changed something there, as often as wanted (the app's folder)
  --modules FOLDER     installed packages, which become the app's node_modules; nothing is installed
  --overlay FOLDER     files that lie above those of the commits: an .env, a configuration
  --get PATH           a request, as often as wanted (GET /)
  --requests FILE      more of them: lines METHOD /path [BODY], or JSON
  --header NAME        a header that is compared, as often as wanted (content-type, location)
  --mask REGEX         what it matches is not compared (times and ids are not)
  --env NAME=VALUE     a variable of the app's environment
  --fresh RUNNER       what the plain process is: node, tsx, no-reload (node; no-reload for TypeScript)
  --flag FLAG          a flag of unreloader, such as --flag=--scope=app
  --start MS           how long a start may take (30000)
  --answer MS          how long an answer may take (20000)
  --json FILE          all results
  --quiet              no line for each commit`;

const list = { type: "string", multiple: true } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    commits: { type: "string", default: "100" },
    tip: { type: "string", default: "HEAD" },
    from: { type: "string" },
    edits: { type: "string" },
    seed: { type: "string" },
    for: { type: "string", default: "1000000" },
    folder: { type: "string", default: "" },
    touching: list,
    modules: { type: "string" },
    overlay: { type: "string" },
    get: list,
    requests: { type: "string" },
    header: { ...list, default: ["content-type", "location"] },
    mask: { ...list, default: [] },
    env: { ...list, default: [] },
    fresh: { type: "string" },
    flag: { ...list, default: [] },
    start: { type: "string", default: "30000" },
    answer: { type: "string", default: "20000" },
    json: { type: "string" },
    quiet: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const RUNNERS: readonly string[] = ["node", "tsx", "no-reload"] satisfies PlainRunner[];

if (values.help) console.log(HELP);
else
  try {
    process.exitCode = (await main()) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    console.error(`replay: ${error.message}`);
    process.exitCode = 2;
  }

async function main(): Promise<boolean> {
  const [folder, entry, ...others] = positionals;
  if (folder === undefined || entry === undefined || others.length > 0)
    throw new ReplayError(`a repository's folder and an entry are needed\n\n${HELP}`);
  const below = values.folder.replace(/\/+$/, "");
  const repository = new Repository(existing("REPOSITORY-FOLDER", folder));
  const paths = values.touching ?? (below === "" ? [] : [below]);
  const last = repository.commits(values.tip, wholeNumber("--commits", values.commits), paths);
  const commits = values.from === undefined ? last : since(last, repository.idOf(values.from));
  if (commits.length === 0)
    throw new ReplayError(`no commit of ${folder} has changed ${paths.join(" or ") || "anything"}`);

  const work = realpathSync(mkdtempSync(path.join(tmpdir(), "unreloader-replay-")));
  const remove = () => rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  // Also when it is interrupted.
  process.once("exit", remove);
  try {
    await using replay = new Replay({
      steps: stepsOf(repository, commits, below, paths),
      work,
      modules: values.modules && existing("--modules", values.modules),
      overlay: values.overlay && existing("--overlay", values.overlay),
      app: {
        entry,
        env: Object.fromEntries(values.env.map(variable)),
        startMs: wholeNumber("--start", values.start),
        answerMs: wholeNumber("--answer", values.answer),
      },
      runner: runnerOf(entry),
      flags: values.flag,
      requests: requests(),
      comparison: { headers: values.header, masks: [...USUAL_MASKS, ...values.mask.map(pattern)] },
      until: performance.now() + 1000 * wholeNumber("--for", values.for),
      onReplayed: (result) => values.quiet || console.error(lineOf(result)),
    });
    const results = await replay.run();
    console.log(reportOf(results));
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
    return allSame(results);
  } finally {
    remove();
  }
}

function stepsOf(
  repository: Repository,
  commits: readonly Commit[],
  below: string,
  touching: readonly string[],
): Steps {
  const commit = commits.at(-1);
  if (values.edits === undefined || commit === undefined) return new CommitSteps(repository, commits, below);
  const count = wholeNumber("--edits", values.edits);
  const random = new Random(values.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber("--seed", values.seed));
  console.error(`--seed ${random.seed}`);
  return new EditSteps({ repository, commit, below, touching, count, random });
}

function lineOf({ commit, edit, outcome, taken, files, waitedMs, freshMs }: Replayed): string {
  const way = taken
    ? `${taken.way}${taken.reason ? ` (${taken.reason})` : ""}, ${taken.evaluated} of ${taken.modules}`
    : "";
  const times = [waitedMs, freshMs].map((ms) => (ms === undefined ? "-" : `${ms.toFixed(0)} ms`)).join(" / ");
  const what = edit === undefined ? `${files.length} files` : commit.subject;
  return `${commit.id.slice(0, 10)} ${outcome.padEnd(11)} ${times}  ${way}  ${what}`;
}

function since(commits: readonly Commit[], id: string): readonly Commit[] {
  const at = commits.findIndex((commit) => commit.id === id);
  if (at === -1) throw new ReplayError(`--from ${values.from}: none of the last ${commits.length} commits`);
  return commits.slice(at);
}

function requests() {
  const paths = values.get?.map(get) ?? [];
  const listed = values.requests === undefined ? [] : fromFile(values.requests);
  const all = [...paths, ...listed];
  return all.length > 0 ? all : [get("/")];
}

function fromFile(file: string) {
  try {
    return parseRequests(readFileSync(file, "utf8"));
  } catch (error) {
    throw new ReplayError(`--requests ${file}: ${error instanceof Error ? error.message : error}`);
  }
}

function runnerOf(entry: string): PlainRunner {
  const runner = values.fresh ?? (/\.([cm]?ts|[jt]sx)$/.test(entry) ? "no-reload" : "node");
  if (!RUNNERS.includes(runner)) throw new ReplayError(`--fresh ${runner}: what fits is ${RUNNERS.join(", ")}`);
  return runner as PlainRunner;
}

function existing(name: string, folder: string): string {
  if (!existsSync(folder)) throw new ReplayError(`${name} ${folder}: there is no such folder`);
  return path.resolve(folder);
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new ReplayError(`${name} ${text}: what fits is a whole number above 0`);
  return Number(text);
}

function variable(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new ReplayError(`--env ${text}: what fits is NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, "g");
  } catch (error) {
    throw new ReplayError(`--mask ${text}: ${error instanceof Error ? error.message : error}`);
  }
}
