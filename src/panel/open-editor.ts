/** Opens a place in the editor that runs, which launch-editor finds: by its processes, or by LAUNCH_EDITOR, VISUAL, EDITOR. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";
import type { SourceLocation } from "../common/protocol/serialized-error.js";

/** They would take the terminal that the supervisor is in. */
const IN_TERMINAL = new Set(["vi", "vim", "nvim", "emacs", "nano", "pico", "micro", "hx", "helix", "joe", "ne", "kak"]);

type Guess = () => readonly (string | null | undefined)[];
type Arguments = (editor: string, file: string, line: number, column: number) => readonly string[];

/** `FILE:LINE:COLUMN`; undefined: it is no place of a file that may be opened, which is one below `root`. */
export function placeToOpen(text: string, root: string): SourceLocation | undefined {
  const [, file = "", line, column] = /^(.+?):(\d{1,9}):(\d{1,9})$/s.exec(text) ?? [];
  if (line === undefined || !path.isAbsolute(file) || path.normalize(file) !== file) return undefined;
  const below = path.relative(root, file);
  if (below === "" || below.startsWith("..") || path.isAbsolute(below) || !existsSync(file)) return undefined;
  return { file, line: Number(line), column: Number(column) };
}

/** In words: why it cannot be opened; undefined: an editor has been started. */
export async function openEditor({ file, line, column }: SourceLocation): Promise<string | undefined> {
  const require = createRequire(import.meta.url);
  const guess = require("launch-editor/guess.js") as Guess;
  const argumentsFor = require("launch-editor/get-args.js") as Arguments;
  const [editor, ...first] = guess();
  const remedy =
    "start one, or set LAUNCH_EDITOR (code, cursor, webstorm, subl, zed, ...) before unreloader is started";
  if (!editor) return `no editor was found that runs: ${remedy}`;
  if (IN_TERMINAL.has(path.basename(editor).replace(/\.exe$/i, "")))
    return `${path.basename(editor)} needs a terminal of its own: ${remedy}`;
  if (process.platform === "win32") {
    // It knows how its shell has to be told.
    (require("launch-editor") as (place: string, editor: string) => void)(`${file}:${line}:${column}`, editor);
    return undefined;
  }
  const args = [...first, ...argumentsFor(editor, file, line, column)].filter((arg) => typeof arg === "string");
  const child = spawn(editor, args, { stdio: "ignore", detached: true });
  child.unref();
  const started = promisify<void>((done) => child.once("spawn", () => done(null)).once("error", done));
  return started().then(
    () => undefined,
    (error: Error) => `${editor} cannot be started (${error.message}): ${remedy}`,
  );
}
