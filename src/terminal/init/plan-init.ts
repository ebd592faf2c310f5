/** What `unreloader init` would write into a project. Pure: the project comes in as texts. */

export interface InitInput {
  /** Relative to the project. */
  readonly entry: string;
  /** The text of a file of the project; undefined: there is none. */
  textOf(file: string): string | undefined;
}

export interface InitStep {
  readonly file: string;
  readonly what: string;
  /** What is new in the file. */
  readonly added: string;
  /** The whole text of the file with it; undefined: it is left alone. */
  readonly text: string | undefined;
  /** Why it is left alone. */
  readonly because?: string;
}

const CONFIGS = ["unreloader.config.ts", "unreloader.config.js", "unreloader.config.mjs", "unreloader.config.json"];
const LAUNCH = ".vscode/launch.json";
const AGENTS = "AGENTS.md";

export function planInit(input: InitInput): readonly InitStep[] {
  return [configStep(input), scriptStep(input), launchStep(input), agentsStep(input)];
}

function configStep({ entry, textOf }: InitInput): InitStep {
  const config = { $schema: "./node_modules/unreloader/schema/options.json", entry };
  const added = `${JSON.stringify(config, undefined, 2)}\n`;
  const file = "unreloader.config.json";
  const what = "the configuration: `unreloader` alone starts the app";
  const known = CONFIGS.find((name) => textOf(name) !== undefined);
  if (known) return { file: known, what, added, text: undefined, because: "there is one" };
  const isInManifest = /"unreloader"\s*:\s*\{/.test(textOf("package.json") ?? "");
  if (isInManifest) return { file: "package.json", what, added, text: undefined, because: "it has one" };
  return { file, what, added, text: added };
}

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
}

function scriptStep({ textOf }: InitInput): InitStep {
  const file = "package.json";
  const what = "an npm script";
  const before = textOf(file);
  const left = (because: string, added = `"dev": "unreloader"`): InitStep => ({
    file,
    what,
    added,
    text: undefined,
    because,
  });
  if (before === undefined) return left("there is no package.json: npm init makes one");
  const manifest = parsed<Manifest>(before);
  if (!manifest) return left("it is no JSON");
  const scripts = manifest.scripts ?? {};
  const name = scriptName(textOf);
  if (name in scripts) return left("it has one");
  const added = `"${name}": "unreloader"`;
  const next = { ...manifest, scripts: { ...scripts, [name]: "unreloader" } };
  return { file, what, added, text: formattedAs(before, next) };
}

const CONFIGURATION = {
  name: "unreloader",
  type: "node",
  request: "launch",
  runtimeExecutable: "npx",
  runtimeArgs: ["unreloader", "--inspect"],
  attachSimplePort: 9229,
  restart: true,
  console: "integratedTerminal",
};

function launchStep({ textOf }: InitInput): InitStep {
  const what = "a debugger configuration of VS Code: breakpoints hold over reloads";
  const before = textOf(LAUNCH);
  const added = JSON.stringify(CONFIGURATION, undefined, 2);
  const left = (because: string): InitStep => ({ file: LAUNCH, what, added, text: undefined, because });
  if (before === undefined) {
    const whole = `${JSON.stringify({ version: "0.2.0", configurations: [CONFIGURATION] }, undefined, 2)}\n`;
    return { file: LAUNCH, what, added: whole, text: whole };
  }
  if (/\bunreloader\b/.test(before)) return left("it has one");
  const launch = parsed<{ configurations?: readonly object[] }>(before);
  if (!launch || !Array.isArray(launch.configurations ?? []))
    return left("it has comments, which would be lost: add this by hand to its configurations");
  const next = { ...launch, configurations: [...(launch.configurations ?? []), CONFIGURATION] };
  return { file: LAUNCH, what, added, text: formattedAs(before, next) };
}

const agentLines = (script: string) => [
  "## The running app",
  "",
  `The app runs under unreloader (\`npm run ${script}\`), which loads what is saved by itself: do not restart it.`,
  "- After an edit, `npx unreloader wait FILE...`: exit code 0 when it runs, 3 when it has failed (with the error and its place), 4 when nothing is up.",
  "- Before an edit of several files `npx unreloader hold --for 60000`, after it `npx unreloader release`: they are one reload.",
  "- `npx unreloader request GET /path` asks the app; `npx unreloader errors` and `logs` say what went wrong.",
  "- `npx unreloader plan FILE` says what an edit would reload. `--json` gives one object; `npx unreloader --help` has the rest.",
];

/** Of the script that there is, or will be. */
function scriptName(textOf: InitInput["textOf"]): string {
  const { scripts = {} } = parsed<Manifest>(textOf("package.json") ?? "") ?? {};
  const known = Object.keys(scripts).find((name) => /\bunreloader\b/.test(scripts[name] ?? ""));
  return known ?? ("dev" in scripts ? "dev:reload" : "dev");
}

function agentsStep({ textOf }: InitInput): InitStep {
  const what = "what an agent has to know";
  const before = textOf(AGENTS);
  const added = `${agentLines(scriptName(textOf)).join("\n")}\n`;
  if (before === undefined) return { file: AGENTS, what, added, text: added };
  if (/\bunreloader\b/.test(before)) return { file: AGENTS, what, added, text: undefined, because: "it has them" };
  return { file: AGENTS, what, added, text: `${before.trimEnd()}\n\n${added}` };
}

/** Undefined for what is no JSON object. */
function parsed<Value extends object>(text: string): Value | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Value) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** With the indentation and the end that the text before has. */
function formattedAs(before: string, value: object): string {
  const [, indent = "  "] = /\n([ \t]+)"/.exec(before) ?? [];
  return JSON.stringify(value, undefined, indent) + (before.endsWith("\n") ? "\n" : "");
}
