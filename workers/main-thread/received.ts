/** Node's own words for a value that is none of the wanted ones: `Received an instance of Map`. */
import path from "node:path";

/** Of an object that says no more of itself. */
export const RECEIVED_OBJECT = "Received an instance of Object";

export function received(value: unknown): string {
  // A path is one: then there are no words to be had.
  if (typeof value === "string") return `Received type string ('${value}')`;
  try {
    path.basename(value as string);
    return RECEIVED_OBJECT;
  } catch (error) {
    return /Received .*$/s.exec((error as Error).message)?.[0] ?? RECEIVED_OBJECT;
  }
}
