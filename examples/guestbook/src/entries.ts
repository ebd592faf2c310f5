import { query } from "./database.ts";

export interface Entry {
  readonly name: string;
  readonly message: string;
  readonly writtenAt: Date;
}

/** What a visitor wrote does not fit; the message is for the visitor. */
export class EntryProblem extends Error {}

const LONGEST_NAME = 40;
const LONGEST_MESSAGE = 280;

/** Newest first. */
export function latestEntries(count = 20): Promise<Entry[]> {
  return query<Entry>('select name, message, written_at as "writtenAt" from entries order by id desc limit $1', [
    count,
  ]);
}

export async function countEntries(): Promise<number> {
  const [row] = await query<{ count: number }>("select count(*)::int as count from entries");
  return row?.count ?? 0;
}

/** Stores the fields of the form. */
export async function addEntry(form: unknown): Promise<void> {
  const name = field(form, "name", LONGEST_NAME);
  const message = field(form, "message", LONGEST_MESSAGE);
  await query("insert into entries (name, message) values ($1, $2)", [name, message]);
}

function field(form: unknown, name: string, longest: number): string {
  const value: unknown = typeof form === "object" && form !== null ? Reflect.get(form, name) : undefined;
  const text = typeof value === "string" ? value.trim() : "";
  if (text === "") throw new EntryProblem(`Please fill in the ${name}.`);
  if (text.length > longest)
    throw new EntryProblem(`The ${name} may have ${longest} characters, this one has ${text.length}.`);
  return text;
}
