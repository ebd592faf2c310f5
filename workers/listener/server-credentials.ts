/** What a TLS server of the app was given to prove who it is, copied. */
import { CREDENTIAL_NAMES, type Credentials } from "../../src/common/protocol/credentials.js";
import { isArray, isObject, ownValue } from "../../src/common/untouched.js";

/** Inside an option: a list of keys, and a key with its passphrase. */
const DEPTH = 2;

/** Undefined: it has neither a key nor a bundle of its own, as one that looks for them by the client's server name. */
export function credentialsOf(server: object): Credentials | undefined {
  const found: Record<string, unknown> = {};
  for (const name of CREDENTIAL_NAMES) {
    const copied = copyOf(ownValue(server, name), DEPTH);
    if (copied !== undefined) found[name] = copied;
  }
  return found.key === undefined && found.pfx === undefined ? undefined : (found as Credentials);
}

/** Of text, bytes, and what is made of them; undefined: it is something else. */
function copyOf(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value;
  // A view on Node's pool would be sent with the whole pool.
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (depth === 0 || !isObject(value)) return undefined;
  if (isArray(value)) return value.map((part) => copyOf(part, depth - 1)).filter((part) => part !== undefined);
  const parts = ["pem", "buf", "passphrase"].flatMap((name) => {
    const copied = copyOf(ownValue(value, name), depth - 1);
    return copied === undefined ? [] : [[name, copied] as const];
  });
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}
