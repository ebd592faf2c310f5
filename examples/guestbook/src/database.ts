/**
 * Postgres, inside this process. Opening it is slow (seconds the first time), which is what makes a restart slow; no
 * file of this app that people edit is imported here, so a reload leaves it open.
 */
import { PGlite } from "@electric-sql/pglite";

/**
 * In memory, so that what is kept over a reload is plainly the open database itself. PGlite takes no lock on a folder:
 * on disk, two processes (or a fresh worker beside the old one) would write over each other.
 */
const folder = process.env.GUESTBOOK_DATA ?? "memory://";

const began = performance.now();
const database = new PGlite(folder);

/** Resolves when the tables are there. */
const opened = prepareTables();

async function prepareTables(): Promise<{ at: Date; tookMs: number }> {
  await database.exec(`
    create table if not exists entries (
      id bigint generated always as identity primary key,
      name text not null,
      message text not null,
      written_at timestamptz not null default now()
    )
  `);
  return { at: new Date(), tookMs: performance.now() - began };
}

/** When the database was opened, and how long that took. */
export function openedDatabase(): Promise<{ at: Date; tookMs: number }> {
  return opened;
}

export async function query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  await opened;
  const { rows } = await database.query<Row>(sql, [...parameters]);
  return rows;
}
