/** What Node's loader says of the attributes of an import, with its codes and words, which changed with version 21. */

import { isCompiled } from "../../src/common/compile/file-kind.js";
import { NODE_MAJOR } from "../../src/common/node-version.js";
import { isObject } from "../../src/common/untouched.js";
import { type NodeError, nodeError } from "./module-errors.js";

export interface ImportedWith {
  /** Of the file that is imported. */
  readonly url: string;
  readonly isJson: boolean;
  readonly attributes: Readonly<Record<string, unknown>> | null;
  /** Who imports it. */
  readonly importer: string;
}

const isOld = NODE_MAJOR < 21;

/**
 * The error that Node has for such an import; undefined: there is none. Where the importer is compiled, JSON needs no
 * attribute, as with other loaders of TypeScript.
 */
export function attributeProblem({ url, isJson, attributes, importer }: ImportedWith): NodeError | undefined {
  const given = Object.entries(attributes ?? {});
  const isRead = attributes?.type !== undefined || isCompiled(importer);
  const failed = (code: string, message: string) => nodeError(`ERR_IMPORT_${code}`, message, TypeError);
  for (const [key, value] of given) {
    if (key === "type" && value === "json") continue;
    if (!isOld)
      return failed(
        "ATTRIBUTE_UNSUPPORTED",
        `Import attribute "${key}" with value "${String(value)}" is not supported in ${url}`,
      );
    if (key === "type")
      return failed("ASSERTION_TYPE_UNSUPPORTED", `Import attribute type "${String(value)}" is unsupported`);
    if (isRead || !isJson)
      return failed(
        "ATTRIBUTE_UNSUPPORTED",
        `Import attribute "${key}" with value "${String(value)}" is not supported`,
      );
  }
  if (isJson && !isRead)
    return isOld
      ? failed("ASSERTION_TYPE_MISSING", `Module "${url}" needs an import attribute of type "json"`)
      : failed("ATTRIBUTE_MISSING", `Module "${url}" needs an import attribute of "type: json"`);
  if (isJson || attributes?.type === undefined) return undefined;
  return failed(
    isOld ? "ASSERTION_TYPE_FAILED" : "ATTRIBUTE_TYPE_INCOMPATIBLE",
    `Module "${url}" is not of type "json"`,
  );
}

/** Whether the engine takes them for options of an `import()`. */
export function areImportOptions(options: unknown): boolean {
  if (options === undefined) return true;
  if (!isObject(options)) return false;
  const attributes: unknown = Reflect.get(options, "with");
  if (attributes === undefined) return true;
  return isObject(attributes) && Object.values(attributes).every((value) => typeof value === "string");
}
