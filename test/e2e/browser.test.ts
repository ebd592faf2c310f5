/** Pages of the supervisor's own as a browser shows them. Needs Chromium; without it the tests say that they were skipped. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { noBrowser, startBrowser } from "../support/browser.js";
import { DEADLINE_MS } from "../support/deadline.js";
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
});

/** What a page complains of: scripts that throw, and what its policy forbids. That it is an error itself is known. */
function problemsOf(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (?:404|50\d)/.test(message.text())) problems.push(message.text());
  });
  return problems;
}
