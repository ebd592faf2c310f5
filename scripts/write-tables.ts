/** `npm run docs:tables`: writes what stands in the repository and comes from the tables of options, of edits and of commands. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { commandsPage } from "./commands-page.js";
import { editsPage } from "./edits-page.js";
import { linesSchema } from "./lines-schema.js";
import { optionsPage, schemaFile, typesFile } from "./options-files.js";

const root = path.join(import.meta.dirname, "..", "..");
const page = path.join(root, "docs/options.md");

mkdirSync(path.join(root, "schema"), { recursive: true });
writeFileSync(path.join(root, "src/options/config-options.ts"), typesFile());
writeFileSync(path.join(root, "schema/options.json"), schemaFile());
writeFileSync(path.join(root, "schema/lines.json"), linesSchema());
writeFileSync(page, optionsPage(readFileSync(page, "utf8")));
const edits = path.join(root, "docs/edits.md");
writeFileSync(edits, editsPage(readFileSync(edits, "utf8")));
const commands = path.join(root, "docs/commands.md");
writeFileSync(commands, commandsPage(readFileSync(commands, "utf8")));
