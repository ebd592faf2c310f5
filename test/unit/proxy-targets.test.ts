/** What stands behind proxies is known at any time, and without a trap of the app's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { withoutProxies } from "../../src/common/proxy-targets.js";

const TRAPS = new Proxy({}, { get: (_, name) => () => assert.fail(`the trap ${String(name)} has run`) });

function assertFound(): void {
  const target = { a: 1 };
  const twice = new Proxy(new Proxy(target, TRAPS), TRAPS);
  assert.equal(withoutProxies(twice), target);
  assert.equal(withoutProxies(target), target);
}

test("the object behind proxies is found, and none behind a revoked one", () => {
  assertFound();
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.equal(withoutProxies(proxy), undefined);
});

test("also when V8 has thrown its compiled code away", async () => {
  v8.setFlagsFromString("--expose-gc");
  v8.setFlagsFromString("--stress-flush-code");
  try {
    const collect = vm.runInNewContext("gc") as () => void;
    for (let n = 0; n < 5; n++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assertFound();
  } finally {
    v8.setFlagsFromString("--no-stress-flush-code");
    v8.setFlagsFromString("--no-expose-gc");
  }
});
