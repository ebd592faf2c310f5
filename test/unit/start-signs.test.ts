/** Which of the things that a start has begun keep a public port open, and for how long. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as later } from "node:timers/promises";
import { ModuleEdges } from "../../workers/runtime/module-edges.js";
import { BegunWork } from "../../workers/start/begun-work.js";
import { type Begun, mayListen, type Sign, signOf } from "../../workers/start/signs.js";
import { within } from "../support/deadline.js";

function begun(type: string, resource?: object, more: Partial<Begun> = {}): Begun {
  return { type, resource, chain: 0, answered: false, sentBefore: undefined, ...more };
}

function waits(signs: readonly Sign[], sinceSure: number, { unlistened = false, sinceEnd = sinceSure } = {}): boolean {
  return mayListen(new Set(signs), unlistened, { sinceEnd, sinceSure });
}

const timer = (ms: number) => ({ _repeat: null, _idleTimeout: ms, _destroyed: false, hasRef: () => true });

describe("a sign of a listen() to come", () => {
  test("is what ends by itself", () => {
    for (const type of [
      "FSREQCALLBACK",
      "TCPCONNECTWRAP",
      "GETADDRINFOREQWRAP",
      "QUERYWRAP",
      "PBKDF2REQUEST",
      "WRITEWRAP",
    ]) {
      assert.equal(signOf(begun(type)), "sure", type);
    }
    assert.equal(signOf(begun("HTTPCLIENTREQUEST")), "sure");
    assert.equal(signOf(begun("HTTPCLIENTREQUEST", undefined, { answered: true })), "brief");
  });

  test("is a timer that is due soon, keeps the process alive, and is not one of a chain", () => {
    assert.equal(signOf(begun("Timeout", timer(7000), { chain: 1 })), "sure");
    assert.equal(signOf(begun("Timeout", timer(3_600_000), { chain: 1 })), "none");
    assert.equal(signOf(begun("Timeout", { ...timer(10), hasRef: () => false }, { chain: 1 })), "none");
    assert.equal(signOf(begun("Timeout", { ...timer(10), _destroyed: true }, { chain: 1 })), "none");
    assert.equal(signOf(begun("Timeout", { ...timer(10), _repeat: 10 }, { chain: 1 })), "repeating");
    assert.equal(signOf(begun("Timeout", timer(10), { chain: 4 })), "repeating");
  });

  test("is a socket whose last word was its own", () => {
    const socket = (bytesRead: number, bytesWritten: number) => ({ bytesRead, bytesWritten, hasRef: () => true });
    assert.equal(signOf(begun("TCPWRAP", socket(0, 0))), "brief", "it has just been connected");
    assert.equal(signOf(begun("TCPWRAP", socket(5, 9), { sentBefore: 4 })), "brief", "it has sent something since");
    assert.equal(signOf(begun("TCPWRAP", socket(5, 4), { sentBefore: 4 })), "none", "the other side has");
    assert.equal(signOf(begun("TCPWRAP", { ...socket(0, 0), hasRef: () => false })), "none");
  });

  test("is a thread that has not spoken, a child process, a promise", () => {
    assert.equal(signOf(begun("WORKER")), "owing");
    assert.equal(signOf(begun("WORKER", undefined, { answered: true })), "none");
    assert.equal(signOf(begun("PROCESSWRAP")), "owing");
    assert.equal(signOf(begun("PROMISE")), "promise");
  });

  test("is not what lasts: servers, watchers, channels", () => {
    for (const type of [
      "TCPSERVERWRAP",
      "FSEVENTWRAP",
      "SIGNALWRAP",
      "UDPWRAP",
      "MESSAGEPORT",
      "TickObject",
      "TTYWRAP",
    ]) {
      assert.equal(signOf(begun(type)), "none", type);
    }
  });
});

describe("a port waits", () => {
  test("for what is sure to end: ten minutes", () => {
    assert.ok(waits(["sure"], 0, { sinceEnd: 599_000 }));
    assert.ok(!waits(["sure"], 0, { sinceEnd: 601_000 }));
  });

  test("for a promise: ten seconds after the last thing that was sure, longer when something owes an answer", () => {
    assert.ok(waits(["promise"], 9_900, { sinceEnd: 300_000 }));
    assert.ok(!waits(["promise"], 10_100));
    assert.ok(waits(["promise", "brief"], 300_000));
    assert.ok(waits(["promise", "owing"], 300_000));
  });

  test("for a thread or a child process alone ten seconds, for a socket alone two", () => {
    assert.ok(waits(["owing"], 9_900));
    assert.ok(!waits(["owing"], 10_100));
    assert.ok(waits(["brief"], 1_900));
    assert.ok(!waits(["brief"], 2_100));
  });

  test("not for what comes again and again, unless a server was made that has not listened", () => {
    assert.ok(!waits(["repeating", "none"], 0));
    assert.ok(waits(["repeating"], 9_900, { unlistened: true }));
    assert.ok(!waits(["repeating"], 10_100, { unlistened: true }));
    assert.ok(!waits([], 0, { unlistened: true }));
  });
});

describe("the work that an evaluation has begun", () => {
  function watch(
    run: (edges: ModuleEdges) => void,
    needed = () => true,
  ): { done: Promise<void>; edges: ModuleEdges; isDone(): boolean } {
    const edges = new ModuleEdges("/app.js", () => {});
    let isDone = false;
    const done = new Promise<void>((resolve) => {
      const work = new BegunWork({
        needed,
        unlistened: () => false,
        done: () => {
          isDone = true;
          resolve();
        },
      });
      work.begin();
      work.within?.(edges, () => run(edges));
      work.end();
    });
    return { done: within(done, "the start to be over"), edges, isDone: () => isDone };
  }

  test("is over in a turn when it was nothing", async () => {
    await watch(() => {}).done;
  });

  test("is what its callbacks begin in their turn", async () => {
    let last = false;
    const { done } = watch(() => {
      setTimeout(async () => {
        await later(30);
        setImmediate(() => setTimeout(() => (last = true), 30));
      }, 30);
    });
    await done;
    assert.ok(last);
  });

  test("is not what others begin meanwhile", async () => {
    const abort = new AbortController();
    const other = later(30_000, undefined, { signal: abort.signal });
    await watch(() => {}).done;
    abort.abort();
    await assert.rejects(other, { name: "AbortError" });
  });

  test("is not that of connections to its servers", async () => {
    const timers: NodeJS.Timeout[] = [];
    const goesOn = () => timers.push(setTimeout(() => {}, 30_000));
    const server = createServer((socket) => socket.write(String(goesOn())));
    const { done, isDone } = watch(() => {
      server.listen(0, "127.0.0.1");
      goesOn();
    });
    if (!server.listening) await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await within(once(client, "data"), "the greeting");
    assert.ok(!isDone());
    clearTimeout(timers[0]);
    await done;
    clearTimeout(timers[1]);
    client.destroy();
    server.close();
  });

  test("of a module that was purged is not waited for", async () => {
    let timer: NodeJS.Timeout | undefined;
    const begin = () => {
      timer = setTimeout(() => {}, 30_000);
    };
    const { done, edges } = watch(begin);
    edges.purge();
    await done;
    clearTimeout(timer);
  });

  test("is not waited for when no port is", async () => {
    let timer: NodeJS.Timeout | undefined;
    const begin = () => {
      timer = setTimeout(() => {}, 30_000);
    };
    await watch(begin, () => false).done;
    clearTimeout(timer);
  });
});
