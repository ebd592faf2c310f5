/** Lists that grow with what clients and edits do, and are bounded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { UsedFiles } from "../../src/files/used-files.js";
import { FileUses } from "../../src/supervisor/file-uses.js";

test("files that only older versions have read are watched no more, once there are many", () => {
  const watched = new Set(["/config"]);
  const used = new UsedFiles({
    has: (file) => watched.has(file),
    track: (files) => {
      for (const { file } of files) watched.add(file);
    },
    untrack: (files) => {
      for (const file of files) watched.delete(file);
    },
  });
  let most = 0;
  for (let n = 0; n < 10_000; n++) {
    used.track(["/config", "/always", `/made-${n}`].map((file) => ({ file, hash: undefined })));
    used.sweep(() => new Set(["/always", `/made-${n}`]));
    most = Math.max(most, watched.size);
    assert.ok(watched.has("/config") && watched.has("/always") && watched.has(`/made-${n}`));
  }
  assert.ok(most < 400, `${most} are watched`);
});

test("of the files that an app has written the newest are known, and those that it writes again and again", () => {
  const uses = new FileUses();
  for (let n = 0; n < 50_000; n++) {
    uses.written(`/uploads/${n}`);
    if (n % 5000 === 0) uses.written("/state.json");
  }
  assert.ok(uses.writes("/uploads/49999") && uses.writes("/state.json"));
  assert.ok(!uses.writes("/uploads/0"));
});
