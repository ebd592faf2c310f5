/** In a file of its own because the app's thread does not load zod, as the messages do. */
import type { PackageRequest } from "./package-log.js";

/** The same request has the same key in every start. */
export function requestKey({ kind, file, attributes }: Pick<PackageRequest, "kind" | "file" | "attributes">): string {
  return `${kind} ${file}${attributes ? ` ${JSON.stringify(attributes)}` : ""}`;
}
