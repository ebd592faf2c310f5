/**
 * Before tests that ask the app that `npm run dev` runs: waits until what runs contains every save, and says where it is. Fails
 * with the error and its place when the newest code is broken. For node:test call it in `before`; Vitest (`globalSetup`) and Jest
 * (`globalSetup`) call what is exported by default.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const COMMAND = process.env.UNRELOADER ?? "node_modules/.bin/unreloader";

async function ask(...words) {
  try {
    return JSON.parse((await promisify(execFile)(COMMAND, [...words, "--json"])).stdout);
  } catch (error) {
    const { message = error.message, file, line } = JSON.parse(error.stdout || "{}").error ?? {};
    throw new Error(file === undefined ? message : `${file}:${line} ${message}`, { cause: error });
  }
}

export async function whereItRuns() {
  await ask("wait");
  const { addresses } = await ask("status");
  return addresses[0];
}

export default async function setup() {
  process.env.APP = await whereItRuns();
}
