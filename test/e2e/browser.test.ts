/** Pages of the supervisor's own as a browser shows them. Needs Chromium; without it the tests say that they were skipped. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { noBrowser, startBrowser } from "../support/browser.js";
import { DEADLINE_MS, eventually } from "../support/deadline.js";
import { plainMode, serve } from "../support/served-app.js";
import { TempApp } from "../support/temp-app.js";

describe("in a browser", { skip: plainMode || noBrowser }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());

  test("a failure page has the source in colours, in light and dark, on a phone, and comes back by itself", async () => {
    await using app = new TempApp({
      "main.js": `const page = require("./page");
require("node:http").createServer((req, res) => {
  res.setHeader("content-type", "text/html");
  res.end(page + (req.url === "/form" ? "<form method=post action=/post><button id=send>Send</button></form>" : ""));
}).listen(process.env.PORT, "127.0.0.1");
`,
      "page.js": `module.exports = "<h1>one</h1>";\n`,
    });
    await using served = await serve(app, "main.js");
    const context = await browser.newContext({ viewport: { width: 375, height: 700 } });
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    const problems = problemsOf(page);
    await page.goto(`${served.origin}/`);
    assert.equal(await page.textContent("h1"), "one");

    app.write("page.js", `// a <b>comment</b>\nthrow new Error("<img src=x onerror=alert(1)>" + "x".repeat(200));\n`);
    await page.reload();
    assert.match(String(await page.textContent("h1")), /^Error: <img src=x/);
    const colours = async (scheme: "light" | "dark") => {
      await page.emulateMedia({ colorScheme: scheme });
      return page.evaluate(
        `[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector(".keyword")).color].join()`,
      );
    };
    assert.notEqual(await colours("light"), await colours("dark"));
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 375);
    assert.equal(await page.locator("img, iframe, link").count(), 0);
    // Everything that can be pressed is reached by the keyboard.
    await page.keyboard.press("Tab");
    assert.match(String(await page.evaluate("document.activeElement.textContent")), /Copy as text/);
    await page.keyboard.press("Tab");
    assert.match(String(await page.evaluate("document.activeElement.textContent")), /page\.js:2:7/);

    app.write("page.js", `throw new Error("another one");\n`);
    await page.locator("h1", { hasText: "another one" }).waitFor();
    app.write("page.js", `module.exports = "<h1>two</h1>";\n`);
    await page.locator("h1", { hasText: /^two$/ }).waitFor();

    // What changes something is not sent again by itself.
    await page.goto(`${served.origin}/form`);
    app.write("page.js", `throw new Error("not now");\n`);
    await page.click("#send");
    assert.match(String(await page.textContent("h1")), /not now/);
    app.write("page.js", `module.exports = "<h1>three</h1>";\n`);
    await page.getByRole("button", { name: "Send it again" }).waitFor();
    assert.match(String(await page.textContent("#now")), /The app is back/);
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("without JavaScript a failure page comes back as well", async () => {
    await using app = new TempApp({
      "main.js": `const page = require("./page");
require("node:http").createServer((req, res) => res.end(page)).listen(process.env.PORT, "127.0.0.1");
`,
      "page.js": `module.exports = "one";\n`,
    });
    await using served = await serve(app, "main.js");
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    app.write("page.js", "module.exports = (;\n");
    await page.goto(`${served.origin}/`);
    assert.match(String(await page.textContent("h1")), /^CompileError/);
    app.write("page.js", `module.exports = "mended";\n`);
    await page.getByText("mended").waitFor({ timeout: DEADLINE_MS });
    await context.close();
  });

  test("with --live a page loads itself again when there is newer code, where it was, and swaps only style sheets", async () => {
    const page = (text: string) =>
      `module.exports = "<link rel=stylesheet href=/site.css><h1>${text}</h1><p>tall</p>";\n`;
    await using app = new TempApp({
      "main.js": `const page = require("./page");
require("node:http").createServer((req, res) => {
  const isSheet = req.url.startsWith("/site.css");
  res.setHeader("content-type", isSheet ? "text/css" : "text/html");
  if (isSheet) return res.end(require("node:fs").readFileSync("site.css"));
  res.setHeader("content-security-policy", "default-src 'none'; script-src 'unsafe-eval'; style-src 'self'");
  res.setHeader("etag", "x");
  if (req.headers["if-none-match"] === "x") return res.writeHead(304).end();
  res.end(page);
}).listen(process.env.PORT, "127.0.0.1");
`,
      "page.js": page("one"),
      "site.css": "p { height: 5000px } h1 { width: 100px }\n",
    });
    await using served = await serve(app, "main.js", { flags: ["--live"] });
    const shown = await browser.newPage();
    shown.setDefaultTimeout(DEADLINE_MS);
    const problems = problemsOf(shown);
    const heading = (text: string | RegExp) => shown.locator("h1", { hasText: text }).waitFor();
    let loads = 0;
    shown.on("load", () => loads++);
    const opened = shown.waitForResponse(/events\?live/);
    await shown.goto(`${served.origin}/`);
    await heading("one");
    assert.equal(await shown.locator("script").count(), 0);
    await shown.evaluate("scrollTo(0, 700)");
    await opened;

    app.write("site.css", "p { height: 5000px } h1 { width: 200px }\n");
    await shown.waitForFunction(`document.querySelector("h1").clientWidth === 200`);
    assert.equal(loads, 1);
    app.write("page.js", page("two"));
    await heading("two");
    await shown.waitForFunction("scrollY === 700");
    app.write("page.js", "module.exports = (;\n");
    await heading(/^CompileError/);
    app.write("page.js", page("three"));
    await heading("three");
    await shown.waitForFunction("scrollY === 700");
    assert.equal(loads, 4);
    assert.deepEqual(problems, []);
    await shown.close();
  });

  test("the panel shows an app of 2,000 modules, what a reload has done to it, and why", async () => {
    await using app = new TempApp(appOf(2000));
    await using served = await serve(app, "main.js");
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.setDefaultTimeout(DEADLINE_MS);
    const problems = problemsOf(page);
    await page.goto(`${served.origin}/__unreloader/`);
    await page.locator("#phase", { hasText: "live generation 1, epoch 1, 2001 modules" }).waitFor();
    /** How many of the picture's points are of a colour. */
    const points = (name: string) =>
      page.evaluate(`(async () => {
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const canvas = document.getElementById("picture");
        const wanted = getComputedStyle(canvas).getPropertyValue("--${name}");
        const pen = canvas.getContext("2d");
        const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
        const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(wanted.slice(at, at + 2), 16));
        let count = 0;
        for (let at = 0; at < data.length; at += 4)
          if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) count++;
        return count;
      })()`) as Promise<number>;
    // The picture is drawn when the graph has been asked for, behind the history.
    const drawn = (name: string, least: number, what: string) =>
      eventually(
        () => points(name),
        (count) => count > least,
        what,
      );
    await drawn("kept", 10_000, "the modules to be drawn");

    app.edit("folder3/m1043.js", "/* 1043 */", "/* changed */");
    await page.locator("#history", { hasText: "folder3/m1043.js" }).waitFor();
    assert.equal(await page.locator("#plot rect").count(), 1);
    await drawn("changed", 4, "the module that has changed to be drawn");
    await drawn("loaded", 4, "the one that was made from it to be drawn");
    await page.keyboard.press("/");
    await page.keyboard.type("m1042.js");
    await page.keyboard.press("Enter");
    const chosen = page.locator("#chosen");
    await chosen.getByText("because of folder3/m1043.js").waitFor();
    for (const found of [/Model1042/, /interval/, /Imported by \(1\)/, /Imports \(1\)/])
      assert.match(String(await chosen.textContent()), found);
    await drawn("imports", 20, "what it imports to be drawn");

    app.write("main.js", "throw new Error('<i>no</i>');\n");
    await page.locator("#known", { hasText: "<i>no</i>" }).waitFor();
    assert.match(String(await page.textContent("#phase")), /failed/);
    assert.equal((await page.locator("#kinds tbody tr").count()) > 30, true);
    const light = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    await page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await page.evaluate("getComputedStyle(document.body).backgroundColor"), light);
    await page.setViewportSize({ width: 375, height: 700 });
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 375);
    assert.deepEqual(problems, []);
    await page.close();
  });
});

/** Chains of ten modules in twenty folders; module 1042 is made from the next one. */
function appOf(count: number): Record<string, string> {
  const file = (index: number): string => `folder${index % 20}/m${index}.js`;
  const modules = Array.from({ length: count }, (_, index): [string, string] => {
    const next = index % 10 < 9 ? `const next = require("../${file(index + 1)}");\n` : "const next = { value: 0 };\n";
    const extra = index === 1042 ? "exports.Model1042 = class Model1042 {};\nsetInterval(() => {}, 1e6);\n" : "";
    // Who reads what another one exports is made from it.
    const value = index === 1042 ? "next.value" : String(index);
    return [
      file(index),
      `${next}/* ${index} */\n${extra}exports.value = ${value};\nexports.later = () => next.value;\n`,
    ];
  });
  const chains = Array.from({ length: count / 10 }, (_, index) => `require("./${file(10 * index)}");\n`);
  const main = `${chains.join("")}
require("node:http").createServer((req, res) => res.end("fine")).listen(process.env.PORT, "127.0.0.1");
`;
  return { ...Object.fromEntries(modules), "main.js": main };
}

/** What a page complains of: scripts that throw, and what its policy forbids. That it is an error itself is known. */
function problemsOf(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (?:404|50\d)/.test(message.text())) problems.push(message.text());
  });
  return problems;
}
