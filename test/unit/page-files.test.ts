/** Style sheets and pages that are watched for live pages alone. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { PageFiles } from "../../src/files/page-files.js";
import { within } from "../support/deadline.js";

test("a saved style sheet or page is told, but not what the app writes, what is ignored, and what packages have", async () => {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), "ur-pages-")));
  const write = (file: string, text: string) => writeFileSync(path.join(root, file), text);
  for (const folder of ["views", "public", "node_modules", "out"]) {
    mkdirSync(path.join(root, folder));
    write(`${folder}/a.css`, "one");
  }
  write("views/a.ejs", "one");
  const files = new PageFiles({
    root,
    hasEvents: () => true,
    isIgnored: (file) => file.startsWith(path.join(root, "out")),
    writes: (file) => file.endsWith("written.html"),
  });
  try {
    await files.look();
    const told = new Set<string>();
    const all = new Promise<void>((resolve) => {
      files.onChange = (changed) => {
        for (const file of changed) told.add(path.relative(root, file));
        if (told.size >= 2) resolve();
      };
    });
    for (const file of ["out/a.css", "node_modules/a.css", "views/written.html", "views/a.js", "views/a.ejs"])
      write(file, "two, and longer");
    write("public/a.css", "two, and longer");
    await within(all, () => `two files; told: ${[...told].join(", ")}`);
    assert.deepEqual([...told].sort(), ["public/a.css", "views/a.ejs"]);
  } finally {
    files.close();
    rmSync(root, { recursive: true });
  }
});

test("without file events they are looked at while a page is open", async () => {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), "ur-pages-")));
  const file = path.join(root, "a.css");
  writeFileSync(file, "one");
  const options = { root, hasEvents: () => false, isIgnored: () => false, writes: () => false };
  const files = new PageFiles({ ...options, watch: () => ({ close: () => {} }) });
  try {
    await files.look();
    const told = new Promise<readonly string[]>((resolve) => {
      files.onChange = resolve;
    });
    files.lookWhile(() => true);
    writeFileSync(file, "two, and longer");
    assert.deepEqual(await within(told, "the style sheet"), [file]);
  } finally {
    files.close();
    rmSync(root, { recursive: true });
  }
});
