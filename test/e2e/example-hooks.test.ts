/** The examples for `unreloader/app`, `import.meta.hot`, `module.hot`, events, commands, errors and adapters, run as docs/ say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "../support/deadline.js";
import { copyOf, run } from "../support/example.js";
import { requestOnce } from "../support/http-client.js";
import { projectRoot } from "../support/project.js";

test("the hooks example keeps, disposes and accepts, and runs under plain Node too", async () => {
  await using app = copyOf("hooks", []);
  {
    await using plain = run(app, ["--import", announcer, "main.js"]);
    const origin = await plain.origin();
    const answer = JSON.parse((await requestOnce(origin)).body) as Record<string, unknown>;
    assert.deepEqual([answer.reloading, answer.generation, answer.subscribers], [false, 1, 1]);
  }
  await using supervised = run(app, [`${projectRoot}/lib/src/terminal/cli.js`]);
  const origin = await supervised.origin();
  const ask = async () => JSON.parse((await requestOnce(origin)).body) as Record<string, unknown>;
  const same = { news: "no news", price: "5 EUR", opened: 1, subscribers: 1, reloading: true, autoloading: true };
  assert.deepEqual(await ask(), { greeting: "Hello", versions: 1, legacy: "as ever", ...same, generation: 1 });
  app.edit("greeting.js", `"Hello"`, `"Good day"`);
  assert.deepEqual(await ask(), { greeting: "Good day", versions: 2, legacy: "as ever", ...same, generation: 2 });
  app.edit("words.cjs", `"ever"`, `"never"`);
  assert.deepEqual(await ask(), { greeting: "Good day", versions: 2, legacy: "as never", ...same, generation: 3 });
  app.edit("news.js", `"no news"`, `"news"`);
  const after = { legacy: "as never", ...same, news: "news", generation: 4 };
  assert.deepEqual(await ask(), { greeting: "Good day", versions: 2, ...after });
  app.edit("settings.js", "EUR", "SEK");
  assert.deepEqual(await ask(), { greeting: "Good day", versions: 2, ...after, price: "5 SEK", generation: 6 });
  await supervised.lines.wait(/updates: .*settings\.js/);
  supervised.child.kill("SIGTERM");
  await supervised.lines.wait(/feed closed/);
  assert.deepEqual(await within(supervised.exit, () => `the exit; output:\n${supervised.lines}`), [0, null]);
});

const announcer = new URL("../support/announce-listening.js", import.meta.url).href;

test("the control example prints every event, does what it is told, and tells errors by their code", async () => {
  await using app = copyOf("control", ["handlebars"]);
  {
    await using misnamed = run(app, ["control.js", "app/nothing.js"]);
    await misnamed.lines.wait(/^ERR_UNRELOADER_ENTRY: .*nothing\.js/);
    assert.deepEqual(await within(misnamed.exit, "the exit"), [1, null]);
  }
  await using control = run(app, ["control.js"]);
  let from = 0;
  const heard = async (pattern: RegExp) => {
    const line = await control.lines.wait(pattern, from);
    from = control.lines.all.indexOf(line, from) + 1;
    return line;
  };
  const tell = async (command: string, answer: string) => {
    control.child.stdin.write(`${command}\n`);
    const name = command.split(" ")[0] ?? "";
    assert.equal(await heard(new RegExp(`^${name}: `)), `${name}: ${answer}`);
  };
  await heard(/^ready/);
  await tell("ask /x", "PATH /x");
  await tell("call sum 1 2", "3");
  await tell("call product 1 2", "ERR_UNRELOADER_CALL");
  await tell("inspect", "running, generation 1, epoch 1, 2 modules");
  app.edit("app/helpers.js", "text.toUpperCase()", "text + '!'");
  await tell("ask /x", "PATH /x");
  await tell("reload", "reloaded");
  await tell("ask /x", "path! /x");
  // The adapter has taken the helper out: nothing old answers.
  app.edit("app/helpers.js", `"loud"`, `"quiet"`);
  await tell("reload", "reloaded");
  await tell("ask /x", "Internal Server Error");
  app.edit("app/helpers.js", `"quiet", (`, `"loud", ((`);
  control.child.stdin.write("reload\n");
  await heard(/^event failed ERR_UNRELOADER_COMPILE/);
  await heard(/^reload: failed/);
  app.edit("app/helpers.js", "((", "(");
  await tell("reload", "reloaded");
  await tell("clear", "done");
  await tell("ask /x", "path! /x");
  control.child.stdin.write("restart\n");
  await heard(/^event restarted 2 asked/);
  await heard(/^restart: restarted/);
  await tell("stale", "0 stale references");
  await tell("leaks", "0 leaks");
  await tell("dance", "no command dance");
  control.child.stdin.write("quit\n");
  assert.deepEqual(await within(control.exit, () => `the exit; output:\n${control.lines}`), [0, null]);
  assert.deepEqual(app.leftInScratch(), []);
});
