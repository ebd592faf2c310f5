/** `npm run docs:options`: writes what stands in the repository and comes from the table of options. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { optionsPage, schemaFile, typesFile } from "./options-files.js";

const root = path.join(import.meta.dirname, "..", "..");
const page = path.join(root, "docs/options.md");

mkdirSync(path.join(root, "schema"), { recursive: true });
writeFileSync(path.join(root, "src/options/config-options.ts"), typesFile());
writeFileSync(path.join(root, "schema/options.json"), schemaFile());
writeFileSync(page, optionsPage(readFileSync(page, "utf8")));
