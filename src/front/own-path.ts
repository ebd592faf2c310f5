/** Which requests are for the supervisor itself, by their first bytes: one look at a byte for all others. Pure. */
import { isOwnPath, LONGEST_PATH, OWN_PATH } from "../common/page/own-paths.js";

const SPACE = 32;
const UNDERSCORE = 95;
/** Of the names of methods, those that Node knows. */
const LONGEST_METHOD = 13;

/** "part": more bytes have to say. */
export function isForOwn(chunks: readonly Buffer[]): boolean | "part" {
  const [first] = chunks;
  if (first === undefined) return false;
  const bytes = chunks.length > 1 && first.length < LONGEST_METHOD + LONGEST_PATH ? Buffer.concat(chunks) : first;
  let at = 3;
  while (bytes[at] !== SPACE && at < LONGEST_METHOD) at++;
  if (bytes[at + 2] !== UNDERSCORE) return false;
  const line = bytes.toString("latin1", at + 1, at + 1 + LONGEST_PATH + 1);
  const end = line.search(/[ ?\r\n]/);
  if (end >= 0) return isOwnPath(line.slice(0, end));
  if (line.length > LONGEST_PATH) return false;
  return line.startsWith(OWN_PATH) || OWN_PATH.startsWith(line) ? "part" : false;
}
