/** `supervisor.call()`: exported functions of the entry, with and without HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/deadline.js";
import { EmbeddedApp } from "../support/embedded-app.js";
import { watchLeftovers } from "../support/leftovers.js";

const files = {
  "app.ts": `import { text } from "./text.ts";
export const sum = (a: number, b: number): number => a + b;
export const echo = (...values: unknown[]): unknown[] => values;
export const kinds = (map: Map<string, Date>): unknown => ({ size: map.size, isDate: map.get("now") instanceof Date });
export const current = (): string => text;
export class Refused extends Error {
  override name = "Refused";
  code = "E_REFUSED";
}
export function refuse(): never {

  throw new Refused("not today", { cause: new TypeError("the reason") });
}
export const unclonable = (): unknown => () => 1;
const log: string[] = [];
export const logged = (): string[] => log;
export const waitFor = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    log.push("waiting");
    const done = () => {
      log.push("aborted: " + String((signal.reason as Error).message ?? signal.reason));
      resolve("gave up");
    };
    if (signal.aborted) done();
    else signal.addEventListener("abort", done);
  });
export const waitWith = ({ signal, name }: { signal: AbortSignal; name: string }): Promise<string> =>
  waitFor(signal).then((how) => name + " " + how);
export const leave = (code: number): never => process.exit(code);
let finish = (_: string): void => {};
export const begin = (): Promise<string> => new Promise((resolve) => {
  log.push("begun");
  finish = resolve;
});
export const end = (): void => finish("ended by " + text);
export default { nested(): string { return this.secret + text; }, secret: "of the default export, " };
`,
  "text.ts": `export const text: string = "one";\n`,
};

const start = () => new EmbeddedApp(files, "app.ts");
type Coded = Error & { code?: string };

async function rejection(promise: Promise<unknown>): Promise<Coded> {
  const settled = await promise.then(
    (value) => value,
    (error: unknown) => error,
  );
  assert.ok(settled instanceof Error, `settled with ${String(settled)}`);
  return settled;
}

test("arguments and results are cloned, and a function inside the default export has it as this", async () => {
  await using embedded = start();
  const { supervisor } = embedded;
  assert.equal(await supervisor.call("sum", 1, 2), 3);
  const values = [undefined, null, 1n, new Date(0), new Set([1]), { a: [new Uint8Array([1, 2])] }];
  assert.deepEqual(await supervisor.call("echo", ...values), values);
  assert.deepEqual(await supervisor.call("kinds", new Map([["now", new Date()]])), { size: 1, isDate: true });
  assert.equal(await supervisor.call("nested"), "of the default export, one");
});

test("what the function throws arrives with name, message, code, cause and its place in the source", async () => {
  await using embedded = start();
  const error = await rejection(embedded.supervisor.call("refuse"));
  assert.deepEqual([error.name, error.message, error.code], ["Refused", "not today", "E_REFUSED"]);
  assert.ok(error.stack?.includes(`${embedded.app.path("app.ts")}:12:9`), error.stack);
  const { cause } = error as { cause?: Error };
  assert.deepEqual([cause?.name, cause?.message], ["TypeError", "the reason"]);
});

test("what cannot be cloned is named, and the worker lives on", async () => {
  await using embedded = start();
  const { supervisor } = embedded;
  const argument = await rejection(supervisor.call("echo", 1, () => 1));
  assert.equal(argument.code, "ERR_UNRELOADER_CLONE");
  assert.match(argument.message, /^call\("echo"\): argument 2 /);
  const result = await rejection(supervisor.call("unclonable"));
  assert.equal(result.code, "ERR_UNRELOADER_CLONE");
  assert.match(result.message, /the result of unclonable\(\)/);
  assert.equal(supervisor.inspect().inFlight, 0);
  assert.equal(supervisor.inspect().epoch, 1);
});

test("an unknown name is answered with the names that exist", async () => {
  await using embedded = start();
  const error = await rejection(embedded.supervisor.call("summ", 1));
  assert.equal(error.code, "ERR_UNRELOADER_CALL");
  assert.match(error.message, /no function summ: it exports .*\bsum\b.*\bnested\b/);
  assert.equal((await rejection(embedded.supervisor.call("toString"))).code, "ERR_UNRELOADER_CALL");
});

test("a signal among the arguments, or in one, is followed; the call rejects with its reason", async () => {
  await using embedded = start();
  const { supervisor } = embedded;
  for (const call of [
    (signal: AbortSignal) => supervisor.call("waitFor", signal),
    (signal: AbortSignal) => supervisor.call("waitWith", { signal, name: "it" }),
  ]) {
    const controller = new AbortController();
    const waiting = rejection(call(controller.signal));
    const reason = new Error("enough");
    await eventually(
      () => supervisor.call("logged") as Promise<string[]>,
      (log) => log.at(-1) === "waiting",
      "the call to begin",
    );
    controller.abort(reason);
    assert.equal(await waiting, reason);
    await eventually(
      () => supervisor.call("logged") as Promise<string[]>,
      (log) => log.at(-1) === "aborted: enough",
      "the app to be told",
    );
  }
  const late = await rejection(supervisor.call("waitFor", AbortSignal.abort()));
  assert.equal(late.name, "AbortError");
});

test("300 edits, each followed at once by a call: none is stale", async () => {
  await using embedded = start();
  const stale: number[] = [];
  await embedded.supervisor.call("current");
  for (let edit = 0; edit < 300; edit++) {
    embedded.app.write("text.ts", `export const text: string = "edit${edit}";\n`);
    if ((await embedded.supervisor.call("current")) !== `edit${edit}`) stale.push(edit);
  }
  assert.deepEqual(stale, []);
});

test("a call under way ends on the old code before the reload goes on, and later calls wait for the new", async () => {
  await using embedded = start();
  const { supervisor } = embedded;
  const order: string[] = [];
  const first = supervisor.call("begin").then((value) => order.push(String(value)));
  await eventually(
    () => supervisor.call("logged") as Promise<string[]>,
    (log) => log.includes("begun"),
    "the call to begin",
  );
  assert.equal(supervisor.inspect().inFlight, 1);
  const ended = supervisor.call("end");
  await ended;
  embedded.app.write("text.ts", `export const text: string = "two";\n`);
  const second = supervisor.call("current").then((value) => order.push(String(value)));
  await Promise.all([first, second]);
  assert.deepEqual(order, ["ended by one", "two"]);
  assert.equal(supervisor.inspect().inFlight, 0);
});

test("while the newest code is broken a call rejects with the error, and with the next save it runs", async () => {
  await using embedded = start();
  embedded.app.write("text.ts", `export const text: string = "one`);
  assert.equal((await rejection(embedded.supervisor.call("sum", 1, 2))).code, "ERR_UNRELOADER_COMPILE");
  embedded.app.write("text.ts", `export const text: string = "two";`);
  assert.equal(await embedded.supervisor.call("current"), "two");
});

test("a worker that ends during a call rejects it, and a fresh one takes the next", async () => {
  await using embedded = start();
  const error = await rejection(embedded.supervisor.call("leave", 3));
  assert.equal(error.code, "ERR_UNRELOADER_WORKER_EXIT");
  assert.match(error.message, /process\.exit\(3\)/);
  assert.equal(await embedded.supervisor.call("sum", 2, 2), 4);
  assert.equal(embedded.supervisor.inspect().epoch, 2);
});

test("an entry without HTTP is used by call and reload, and leaves nothing", async () => {
  const leftovers = watchLeftovers();
  {
    await using embedded = start();
    const { supervisor } = embedded;
    assert.equal((await supervisor.reload()).kind, "restarted");
    assert.equal((await supervisor.reload()).kind, "unchanged");
    embedded.app.write("text.ts", `export const text: string = "two";\n`);
    const report = await supervisor.reload();
    assert.deepEqual([report.kind, report.loaded], ["reloaded", [embedded.app.path("text.ts")]]);
    assert.equal(await supervisor.call("current"), "two");
    assert.deepEqual(supervisor.inspect().addresses, []);
    await supervisor.close();
    await supervisor.close();
    assert.equal((await rejection(supervisor.call("sum", 1, 2))).code, "ERR_UNRELOADER_CLOSED");
  }
  await leftovers.check();
});
