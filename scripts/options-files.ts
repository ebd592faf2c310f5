/** What is written from the table of options, besides the program itself. Pure. */
import { toJSONSchema } from "zod";
import type { OptionRow } from "../src/options/option-row.js";
import { type OptionName, optionNames, optionsSchema, optionTable } from "../src/options/option-table.js";
import { type OptionFlag, optionFlags } from "../src/terminal/flags.js";
import { isRepeatable, usageOf } from "../src/terminal/help.js";
import { betweenMarks } from "./between-marks.js";

/** As much of JSON Schema as the options need. */
interface ValueSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly ValueSchema[];
  readonly items?: ValueSchema;
  readonly additionalProperties?: ValueSchema;
}

const valueSchemas = (
  toJSONSchema(optionsSchema, { io: "input", unrepresentable: "any" }) as unknown as {
    readonly properties: Readonly<Record<OptionName, ValueSchema>>;
  }
).properties;

/** src/options/config-options.ts */
export function typesFile(): string {
  const members = optionNames.flatMap((option) => [
    ...hoverOf(option).map((line) => `  ${line}`),
    // No JSON can express a logger.
    `  ${option}?: ${option === "logger" ? "Logger" : typeOf(valueSchemas[option])} | undefined;`,
  ]);
  return [
    "/** Written from option-table.ts by `npm run docs:tables`. */",
    'import type { Logger } from "../reports/logger.js";',
    "",
    "/** What a configuration file may say. */",
    "export interface ConfigOptions {",
    ...members,
    "}",
    "",
    "/** What `createSupervisor` takes. */",
    "export interface SupervisorOptions extends ConfigOptions {",
    ...hoverOf("entry").map((line) => `  ${line}`),
    "  entry: string;",
    "}",
    "",
  ].join("\n");
}

/** schema/options.json: for editors that complete and check unreloader.config.json. */
export function schemaFile(): string {
  const properties = Object.fromEntries(
    optionNames
      .filter((option) => option !== "logger")
      .map((option) => {
        const { default: value }: OptionRow = optionTable[option];
        const description = sentencesOf(option).join(" ");
        return [option, { description, ...valueSchemas[option], ...(value !== undefined && { default: value }) }];
      }),
  );
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "unreloader.config.json",
    type: "object",
    properties: { $schema: { type: "string" }, ...properties },
    additionalProperties: false,
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** docs/options.md with its table as the options are now; the text around it is written by hand. */
export function optionsPage(before: string): string {
  return betweenMarks(before, "docs/options.md", "options", optionRows());
}

function optionRows(): string[] {
  const rows = optionNames.map((option) => {
    const { doc, more, fits }: OptionRow = optionTable[option];
    const flag = optionFlags.find((known) => known.option === option);
    const meaning = [`${capital(doc)}.`, ...(more === undefined ? [] : [more])].join(" ");
    return [flagCell(option, flag), `\`${option}\``, defaultOf(option) ?? "none", fits, meaning];
  });
  const heads = ["flag", "option", "default", "what fits", "meaning"];
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.map(escaped).join(" | ")} |`);
}

function flagCell(option: OptionName, flag: OptionFlag | undefined): string {
  if (flag) return `\`${usageOf(flag)}\`${isRepeatable(flag.kind) ? ", repeatable" : ""}`;
  return option === "entry" ? "`<entry>`" : option === "args" ? "`-- ...`" : "(no flag)";
}

/** Undefined for an empty list and the like. */
function defaultOf(option: OptionName): string | undefined {
  const { default: value, otherwise, unit }: OptionRow = optionTable[option];
  if (otherwise !== undefined || value === undefined) return otherwise;
  if (typeof value === "object" && value !== null && Object.keys(value).length === 0) return undefined;
  return unit === undefined ? `\`${value}\`` : `\`${value}\` ${unit}`;
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|");
}

/** For an editor: without the link. */
function sentencesOf(option: OptionName): string[] {
  const { doc, more }: OptionRow = optionTable[option];
  const spoken = more?.replace(/ ?See \[.*?\]\(.*?\)\./, "");
  const shown = defaultOf(option);
  return [
    `${capital(doc)}.`,
    ...(spoken === undefined || spoken === "" ? [] : [spoken]),
    ...(shown === undefined ? [] : [`Default: ${shown}.`]),
  ];
}

/** What an editor shows: the meaning, what fits, the default, an example. */
function hoverOf(option: OptionName): string[] {
  const { fits, unit }: OptionRow = optionTable[option];
  const shown = defaultOf(option);
  const said = sentencesOf(option).filter((sentence) => !sentence.startsWith("Default: "));
  const inUnit = unit === undefined || fits.startsWith(unit) ? "" : `, in ${unit}`;
  return [
    "/**",
    ...said.map((sentence) => ` * ${sentence}`),
    " *",
    ` * What fits: ${fits}${inUnit}.`,
    ` * @default ${shown ?? "none"}`,
    ` * @example ${option}: ${exampleOf(option)}`,
    " */",
  ];
}

/** As it is written in an object of options. */
export function exampleOf(option: OptionName): string {
  const { example, default: value }: OptionRow = optionTable[option];
  if (example === undefined && typeof value !== "boolean") throw new Error(`${option} has no example`);
  return example ?? String(!value);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function typeOf(schema: ValueSchema): string {
  const { type, const: only, enum: words, anyOf, items, additionalProperties } = schema;
  if (only !== undefined) return JSON.stringify(only);
  if (words) return words.map((word) => JSON.stringify(word)).join(" | ");
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(" | ");
  if (items) return `${typeOf(items)}[]`;
  if (additionalProperties) return `Record<string, ${typeOf(additionalProperties)}>`;
  if (type === "integer") return "number";
  if (type === "string" || type === "number" || type === "boolean") return type;
  throw new Error(`no type is known for ${JSON.stringify(schema)}`);
}
