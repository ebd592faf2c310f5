/** Names of scripts, as V8 gives them: URLs for ES modules, paths for CommonJS. */
import { fileURLToPath } from "node:url";

/** The path that a `file:` URL names; anything else, and a URL that names no file of this machine, as it is. */
export function pathOf(name: string): string {
  if (!name.startsWith("file:")) return name;
  try {
    return fileURLToPath(name);
  } catch (error) {
    if (error instanceof TypeError) return name;
    throw error;
  }
}
