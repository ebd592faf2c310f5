/** Where the supervisor answers itself. All other paths below are the app's. Pure. */
export const OWN_PATH = "/__unreloader/";

const NAMES = ["", "live", "ready", "state", "events"] as const;

export type OwnName = (typeof NAMES)[number];

export const LONGEST_PATH = OWN_PATH.length + Math.max(...NAMES.map(({ length }) => length));

/** Without the query. */
export function ownName(path: string): OwnName | undefined {
  return path.startsWith(OWN_PATH) ? NAMES.find((name) => name === path.slice(OWN_PATH.length)) : undefined;
}

export function isOwnPath(path: string): boolean {
  return ownName(path) !== undefined;
}
