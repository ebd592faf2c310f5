/**
 * What Ruby's rack-unreloader promises about changes, classes and the subclass filter, one test for each example of its spec,
 * by whole transcripts. A comment says where we differ on purpose. Ruby unloads before it loads and logs the two apart;
 * we lay the whole plan first, so a transcript tells every purge, then every load, then one line for the reload.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode } from "../support/served-app.js";
import { TranscribedApp } from "../support/transcribed-app.js";

/** As the spec's `code(n)`: a class that collects the numbers of the versions which have reached it. */
const code = (n: number): string => `export class App {
  static list = [];
}
App.list.push(${n});
export const answer = () => App.list;
`;

const FIRST_LOAD = ["loaded app.js", "found class App in app.js"];
const reloaded = (loaded: number, modules: number, generation: number, file = "app.js"): string =>
  `info reloaded ${loaded} of ${modules} modules in N ms (generation ${generation}): ${file} changed`;
const APP_AGAIN = ["app.js has changed", "purged app.js", "removed class App of app.js", ...FIRST_LOAD];

describe("rack-unreloader: changes", { skip: plainMode }, () => {
  test("a changed file is unloaded with its classes, and loaded again", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) });
    assert.deepEqual(await app.answer(), [1]);
    assert.deepEqual(app.transcript(), FIRST_LOAD);
    app.write("app.js", code(2));
    assert.deepEqual(await app.answer(), [2]);
    assert.deepEqual(app.transcript(), [...APP_AGAIN, reloaded(1, 1, 2)]);
  });

  test("nothing is reloaded by itself when the cooldown is off (Ruby: nil)", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) }, { cooldown: "off" });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", code(2));
    assert.deepEqual(await app.answer(), [1]);
    assert.deepEqual(app.transcript(), FIRST_LOAD);
    await app.supervisor.reload();
    assert.deepEqual(await app.answer(), [2]);
    assert.deepEqual(app.transcript(), [...APP_AGAIN, reloaded(1, 1, 2)]);
  });

  test("a file that is saved unchanged is not loaded again (Ruby goes by the time of the file alone)", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) });
    await app.answer();
    app.transcript();
    app.write("app.js", code(1));
    assert.deepEqual(await app.answer(), [1]);
    assert.deepEqual(app.transcript(), []);
  });

  // Ruby forgets the file, and the next call raises NameError. Here nothing of the running app is touched for a file
  // that the next start would miss: the call rejects, and the generation stays whole for `onError: "last-good"`.
  test("the entry is deleted: the app's calls reject until it is there again", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) });
    await app.answer();
    app.transcript();
    app.remove("app.js");
    await assert.rejects(app.answer(), { code: "ERR_UNRELOADER_COMPILE", message: /the file cannot be read: ENOENT/ });
    assert.deepEqual(app.transcript(), [
      "app.js was deleted",
      "error reload failed (generation 1 kept): app.js:1:1 the file cannot be read: ENOENT: no such file or directory, open 'app.js'",
    ]);
    app.write("app.js", code(2));
    assert.deepEqual(await app.answer(), [2]);
    assert.deepEqual(app.transcript(), [
      "app.js was added",
      "purged app.js",
      "removed class App of app.js",
      ...FIRST_LOAD,
      reloaded(1, 1, 2),
    ]);
  });

  test("a deleted file that nobody imports any more is unloaded with its classes", async () => {
    await using app = new TranscribedApp({
      "app.js": `import { Part } from "./part.js";\nexport const answer = () => Part.name;\n`,
      "part.js": "export class Part {}\n",
    });
    assert.equal(await app.answer(), "Part");
    app.transcript();
    app.remove("part.js");
    app.write("app.js", `export const answer = () => "alone";\n`);
    assert.equal(await app.answer(), "alone");
    assert.deepEqual(app.transcript(), [
      "app.js has changed",
      "part.js was deleted",
      "purged app.js",
      "purged part.js",
      "removed class Part of part.js",
      "loaded app.js",
      "info reloaded 1 of 1 modules in N ms (generation 2): app.js, part.js changed",
    ]);
  });

  test("files that a new version depends on are monitored from then on", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) });
    await app.answer();
    assert.deepEqual(app.transcript(), FIRST_LOAD);
    app.write("app2.js", "export class App2 {\n  static list = [3];\n}\n");
    app.write(
      "app.js",
      `import { App2 } from "./app2.js";\n${code(2).replace("=> App.list", "=> [App.list, App2.list]")}`,
    );
    assert.deepEqual(await app.answer(), [[2], [3]]);
    app.edit("app2.js", "3", "4");
    assert.deepEqual(await app.answer(), [[2], [4]]);
    assert.deepEqual(app.transcript(), [
      "app.js has changed",
      "purged app.js",
      "removed class App of app.js",
      "loaded app2.js <- app.js",
      "found class App2 in app2.js",
      ...FIRST_LOAD,
      reloaded(2, 2, 2),
      // App reads App2 when it is called, not while it is evaluated: as in Ruby, it stays.
      "app2.js has changed",
      "purged app2.js",
      "removed class App2 of app2.js",
      "loaded app2.js",
      "found class App2 in app2.js",
      reloaded(1, 2, 3, "app2.js"),
    ]);
  });

  test("a file that is loaded before the app keeps its classes when the app changes, and the other way round", async () => {
    await using app = new TranscribedApp({
      "models.js": "export class Model {\n  static evaluated = process.hrtime.bigint();\n}\n",
      "app.js": `import { Model } from "./models.js";
export class App {}
export const answer = () => [Model.evaluated, App.name];
`,
    });
    const [first] = (await app.answer()) as [bigint];
    app.transcript();
    app.edit("app.js", "App.name", "App.name.length");
    assert.deepEqual(await app.answer(), [first, 3]);
    app.append("models.js", "// changed\n");
    assert.notDeepEqual(await app.answer(), [first, 3]);
    assert.deepEqual(app.transcript(), [
      "app.js has changed",
      "purged app.js",
      "removed class App of app.js",
      ...FIRST_LOAD,
      reloaded(1, 2, 2),
      "models.js has changed",
      "purged models.js",
      "removed class Model of models.js",
      "loaded models.js",
      "found class Model in models.js",
      reloaded(1, 2, 3, "models.js"),
    ]);
  });

  // Ruby has to be told by record_dependency; what is read while a file is evaluated is known here.
  test("a changed superclass or mixin has the classes made from it loaded again", async () => {
    await using app = new TranscribedApp({
      "base.js": `export class Base {
  says() {
    return 1;
  }
}
`,
      "mixin.js": "export const Loud = (Class) => class Loud extends Class {};\n",
      "app.js": `import { Base } from "./base.js";
import { Loud } from "./mixin.js";
export class App extends Loud(Base) {}
export const answer = () => new App().says();
`,
    });
    assert.equal(await app.answer(), 1);
    assert.deepEqual(app.transcript(), [
      "loaded base.js",
      "found class Base in base.js",
      "loaded mixin.js",
      "loaded app.js",
      "found class Loud < Base in app.js",
      "found class App < Loud < Base in app.js",
      "app.js uses mixin.js",
      "app.js uses base.js",
    ]);
    app.edit("base.js", "1", "2");
    assert.equal(await app.answer(), 2);
    assert.deepEqual(app.transcript(), [
      "base.js has changed",
      "purged app.js",
      "removed class Loud of app.js",
      "removed class App of app.js",
      "purged base.js",
      "removed class Base of base.js",
      "loaded base.js",
      "found class Base in base.js",
      "loaded app.js <- base.js",
      "found class Loud < Base in app.js",
      "found class App < Loud < Base in app.js",
      reloaded(2, 3, 2, "base.js"),
    ]);
  });

  test("many files that were changed together are one reload", async () => {
    await using app = new TranscribedApp({
      "app.js": `import { a } from "./a.js";\nimport { b } from "./b.js";\nexport const answer = () => a + b;\n`,
      "a.js": "export const a = 1;\n",
      "b.js": "export const b = 2;\n",
    });
    assert.equal(await app.answer(), 3);
    app.transcript();
    app.edit("a.js", "1", "10");
    app.edit("b.js", "2", "20");
    assert.equal(await app.answer(), 30);
    assert.deepEqual(app.transcript(), [
      "a.js has changed",
      "b.js has changed",
      "purged b.js",
      "purged a.js",
      "loaded a.js",
      "loaded b.js",
      "info reloaded 2 of 3 modules in N ms (generation 2): a.js, b.js changed",
    ]);
  });

  test("packages are never unloaded, with or without a filter", async () => {
    await using app = new TranscribedApp(
      {
        "app.js": `import { EventEmitter } from "node:events";
import { Router } from "router-package";
Router.routes++;
export class App extends Router {}
export const answer = () => [Router.routes, new App() instanceof EventEmitter];
`,
        "node_modules/router-package/package.json": `{ "name": "router-package", "type": "module", "exports": "./index.js" }`,
        "node_modules/router-package/index.js": `import { EventEmitter } from "node:events";
export class Router extends EventEmitter {
  static routes = 0;
}
`,
      },
      {},
    );
    assert.deepEqual(await app.answer(), [1, true]);
    app.append("app.js", "// changed\n");
    assert.deepEqual(await app.answer(), [2, true]);
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "found class App < Router < EventEmitter in app.js",
      "app.js has changed",
      "purged app.js",
      "removed class App of app.js",
      "loaded app.js",
      "found class App < Router < EventEmitter in app.js",
      reloaded(1, 1, 2),
    ]);
  });

  test("clear() (Ruby: clear!) forgets what is loaded, and the next call loads it again", async () => {
    await using app = new TranscribedApp({ "app.js": code(1) }, { cooldown: "off" });
    await app.answer();
    app.transcript();
    app.supervisor.clear();
    assert.deepEqual(await app.answer(), [1]);
    assert.deepEqual(app.transcript(), [
      "purged app.js",
      "removed class App of app.js",
      ...FIRST_LOAD,
      "info reloaded 1 of 1 modules in N ms (generation 2)",
    ]);
  });
});

describe("rack-unreloader: classes", { skip: plainMode }, () => {
  // Ruby's modules are objects that code puts its functions on; ours are plain objects. They go with their file.
  test("modules are unloaded as classes are", async () => {
    const text = (n: number) =>
      `export const App = { list: [] };\nApp.list.push(${n});\nexport const answer = () => App.list;\n`;
    await using app = new TranscribedApp({ "app.js": text(1) });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", text(2));
    assert.deepEqual(await app.answer(), [2]);
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "app.js has changed",
      "purged app.js",
      "loaded app.js",
      reloaded(1, 1, 2),
    ]);
  });

  test("a class in a namespace that lives on is unloaded, and its name goes from there when that is globalThis", async () => {
    const text = (n: number) => `globalThis.App ??= class App {
  static list = [];
};
App.list.push(${n});
export const answer = () => App.list;
`;
    await using app = new TranscribedApp({ "app.js": text(1) });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", text(2));
    assert.deepEqual(await app.answer(), [2]);
    assert.deepEqual(app.transcript(), [...FIRST_LOAD, ...APP_AGAIN, reloaded(1, 1, 2)]);
  });

  // Ruby loads the changed part alone, and what the old version had added to the class stays: [2, 3, 4]. Here part.js has
  // written into class.js, so that is loaded again as well: the answer is that of a fresh start.
  test("a class that a dependency reopens belongs to the file that defined it", async () => {
    await using app = new TranscribedApp({
      "app.js": `import { App } from "./class.js";\nimport "./part.js";\nexport const answer = () => App.list;\n`,
      "class.js": "export class App {\n  static list = [2];\n}\n",
      "part.js": `import { App } from "./class.js";\nApp.list.push(3);\n`,
    });
    assert.deepEqual(await app.answer(), [2, 3]);
    app.edit("part.js", "3", "4");
    assert.deepEqual(await app.answer(), [2, 4]);
    app.edit("class.js", "2", "5");
    assert.deepEqual(await app.answer(), [5, 4]);
    assert.deepEqual(app.transcript(), [
      "loaded class.js",
      "found class App in class.js",
      "loaded part.js",
      "part.js uses class.js",
      "loaded app.js",
      "part.js has changed",
      "purged part.js",
      "purged class.js",
      "removed class App of class.js",
      "loaded class.js <- part.js",
      "found class App in class.js",
      "loaded part.js",
      reloaded(2, 3, 2, "part.js"),
      "class.js has changed",
      "purged part.js",
      "purged class.js",
      "removed class App of class.js",
      "loaded class.js",
      "found class App in class.js",
      "loaded part.js <- class.js",
      reloaded(2, 3, 3, "class.js"),
    ]);
  });

  test("anonymous classes are unloaded with their file", async () => {
    const text = (n: number) => `globalThis.app = (() => class {
  static list = [${n}];
})();
export const answer = () => globalThis.app.list;
`;
    await using app = new TranscribedApp({ "app.js": text(1) });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", text(2));
    assert.deepEqual(await app.answer(), [2]);
    // Ruby cannot name them, and says nothing.
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "found class (anonymous) in app.js",
      "app.js has changed",
      "purged app.js",
      "removed class (anonymous) of app.js",
      "loaded app.js",
      "found class (anonymous) in app.js",
      reloaded(1, 1, 2),
    ]);
  });

  test("a class whose name cannot be read is unloaded like any other", async () => {
    const text = (n: number) => `class App {
  static list = [${n}];
  static get name() {
    throw new Error("no name");
  }
}
export const answer = () => App.list;
`;
    await using app = new TranscribedApp({ "app.js": text(1) });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", text(2));
    assert.deepEqual(await app.answer(), [2]);
    const loaded = ["loaded app.js", "found class (anonymous) in app.js"];
    const purged = ["app.js has changed", "purged app.js", "removed class (anonymous) of app.js"];
    assert.deepEqual(app.transcript(), [...loaded, ...purged, ...loaded, reloaded(1, 1, 2)]);
  });
});

describe("rack-unreloader: the subclass filter", { skip: plainMode }, () => {
  test("unloads the named class and its subclasses, and no other", async () => {
    const text = (n: number) => `import { Base } from "./base.js";
export class Model extends Base {}
export class Other {}
globalThis.seen ??= [];
globalThis.seen.push(Model, Other);
export const answer = () => [${n}, ...globalThis.seen.map((one) => new one() instanceof (one.name === "Model" ? Model : Other))];
`;
    await using app = new TranscribedApp(
      { "app.js": text(1), "base.js": "export class Base {}\n" },
      { subclasses: "Base" },
    );
    assert.deepEqual(await app.answer(), [1, true, true]);
    app.write("app.js", text(2));
    // The old Model is nothing to the new one; the old Other is the new one.
    assert.deepEqual(await app.answer(), [2, false, true, true, true]);
    const found = ["found class Model < Base in app.js", "found class Other in app.js", "app.js uses base.js"];
    assert.deepEqual(app.transcript(), [
      "loaded base.js",
      "found class Base in base.js",
      "loaded app.js",
      ...found,
      "app.js has changed",
      "purged app.js",
      "removed class Model of app.js",
      "loaded app.js",
      ...found.slice(0, 2),
      reloaded(1, 2, 2),
    ]);
  });

  test("reopens a class that it does not select: objects that live on get the new methods", async () => {
    const text = (n: number) => `export class App {
  says() {
    return ${n};
  }
}
globalThis.first ??= new App();
export const answer = () => [globalThis.first.says(), globalThis.first instanceof App];
`;
    await using app = new TranscribedApp({ "app.js": text(1) }, { subclasses: ["Object"] });
    assert.deepEqual(await app.answer(), [1, true]);
    app.write("app.js", text(2));
    assert.deepEqual(await app.answer(), [2, true]);
    assert.deepEqual(app.transcript(), [
      ...FIRST_LOAD,
      "app.js has changed",
      "purged app.js",
      ...FIRST_LOAD,
      reloaded(1, 1, 2),
    ]);
  });

  test("names that cannot be names, or that nothing has, are told once and ignored", async () => {
    const listens = `import http from "node:http";\nhttp.createServer().listen(0);\n`;
    await using app = new TranscribedApp(
      { "app.js": `${listens}${code(1)}` },
      { subclasses: ["1", "App", "Nothing"], host: "127.0.0.1" },
    );
    assert.deepEqual(await app.answer(), [1]);
    await app.heard(/Nothing/); // told once the app has been loaded, that is when it listens
    const fits = "expected a class name such as Model, or package#Name such as sequelize#Model";
    const told = () => app.transcript().filter((line) => !line.startsWith("info listening"));
    assert.deepEqual(told(), [
      `warn subclasses: "1" is ignored: ${fits}`,
      ...FIRST_LOAD,
      `warn subclasses: Nothing is ignored: no class, global or export of this name has been seen; ${fits}`,
    ]);
    await app.supervisor.restart();
    assert.deepEqual(told(), [...FIRST_LOAD, "info restarted 1 modules in N ms (epoch 2): asked for"]);
  });

  const module = (n: number) =>
    `globalThis.App ??= { list: [] };\nglobalThis.App.list.push(${n});\nexport const answer = () => globalThis.App.list;\n`;

  test("a module is unloaded when the filter names it", async () => {
    await using app = new TranscribedApp({ "app.js": module(1) }, { subclasses: ["App"] });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", module(2));
    assert.deepEqual(await app.answer(), [2]);
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "app.js has changed",
      "purged app.js",
      "loaded app.js",
      reloaded(1, 1, 2),
    ]);
  });

  test("a module is left alone when the filter does not name it", async () => {
    await using app = new TranscribedApp({ "app.js": module(1) }, { subclasses: ["Object"] });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", module(2));
    assert.deepEqual(await app.answer(), [1, 2]);
    assert.deepEqual(app.transcript(), [
      "loaded app.js",
      "app.js has changed",
      "purged app.js",
      "loaded app.js",
      reloaded(1, 1, 2),
    ]);
  });

  test("without a filter a module that was put on globalThis goes with its file", async () => {
    await using app = new TranscribedApp({ "app.js": module(1) });
    assert.deepEqual(await app.answer(), [1]);
    app.write("app.js", module(2));
    assert.deepEqual(await app.answer(), [2]);
  });
});
