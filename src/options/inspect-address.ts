/** Where a debugger attaches, as Node's own flag `--inspect` takes it. */
import { DEFAULT_HOST } from "./defaults.js";

export interface Address {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_INSPECT_PORT = 9229;

/** The value of the option: false is no debugger, true the usual address. */
export function inspectAddress(given: boolean | string): Address | undefined {
  if (given === false) return undefined;
  if (given === true) return { host: DEFAULT_HOST, port: DEFAULT_INSPECT_PORT };
  return parseInspectAddress(given);
}

/** `PORT`, `HOST`, `HOST:PORT` or `[IPV6]:PORT`; undefined for what is none of them. */
export function parseInspectAddress(given: string): Address | undefined {
  const [, host, digits] = /^(?:(\[[\da-fA-F:.]+\]|[^\s:[\]]+):)?(\d+)$/.exec(given) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port <= 65535) return { host: host?.replace(/^\[|\]$/g, "") ?? DEFAULT_HOST, port };
  if (/^[a-zA-Z][\w.-]*$/.test(given)) return { host: given, port: DEFAULT_INSPECT_PORT };
  return undefined;
}
