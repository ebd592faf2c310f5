/** Which command lines are commands, and which run an app. Loads nothing: it is asked at each start. */
import path from "node:path";

/** `unreloader status`: a word without a slash and without an extension. An entry called so is written `./status`. */
export function isCommandWord(word: string | undefined): word is string {
  if (word === undefined || word === "" || word.startsWith("-") || word === "." || word === "..") return false;
  return !/[\\/]/.test(word) && path.extname(word) === "";
}
