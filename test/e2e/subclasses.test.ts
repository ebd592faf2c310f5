/** `--subclasses` through the command line: what it names is purged, everything else is reopened, and what lives on works. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { plainMode, type ServedApp, type ServeOptions, serve } from "../support/served-app.js";
import { TempApp, type TempAppOptions } from "../support/temp-app.js";

const modules = `{ "name": "app", "type": "module" }\n`;

/** Answers a request with the value of the expression in its URL. `held` is what a kept module holds. */
const answering = `(req, res) => {
  Promise.resolve(new Function("held", "models", "return " + decodeURIComponent(req.url.slice(1)))(held, models())).then(
    (value) => res.end(JSON.stringify(value ?? null)),
    (error) => res.writeHead(500).end(error.stack),
  );
}`;
const esm = {
  "package.json": modules,
  "held.js": "export const held = {};\n",
  "main.js": `import http from "node:http";
import { held } from "./held.js";
import * as user from "./user.js";
const models = () => user;
http.createServer(${answering}).listen(process.env.PORT, "127.0.0.1");
`,
};
const commonJs = {
  "held.cjs": "module.exports = {};\n",
  "main.cjs": `const http = require("node:http");
const held = require("./held.cjs");
const models = () => require("./user.cjs");
models();
http.createServer(${answering}).listen(process.env.PORT, "127.0.0.1");
`,
};
const typescript = {
  "package.json": modules,
  "held.ts": "export const held: Record<string, unknown> = {};\n",
  "main.ts": esm["main.js"].replaceAll(".js", ".ts").replace(/\(req, res\)/, "(req: any, res: any)"),
};

class Asked implements AsyncDisposable {
  readonly app: TempApp;
  readonly served: ServedApp;

  static async start(
    files: Readonly<Record<string, string>>,
    entry: string,
    options: ServeOptions & TempAppOptions = {},
  ): Promise<Asked> {
    const app = new TempApp(files, options);
    return new Asked(app, await serve(app, entry, options));
  }

  constructor(app: TempApp, served: ServedApp) {
    this.app = app;
    this.served = served;
  }

  /** What the app makes of an expression over `held` and `models`. */
  ask(expression: string): Promise<unknown> {
    return this.served.json(`/${encodeURIComponent(expression)}`);
  }

  /** Lines that warn; that nothing is called Model is not the matter here. */
  warnings(): string[] {
    return this.served.lines
      .matching(/not reopened|is ignored|failed/)
      .filter((line) => !line.includes(": Model is ignored"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.served[Symbol.asyncDispose]();
    await this.app[Symbol.asyncDispose]();
  }
}

const keepAll = { flags: ["--subclasses", "Model"] };

describe("the subclass filter", { skip: plainMode }, () => {
  const kinds = [
    ["ES modules", esm, "main.js", "user.js", (text: string) => `${text}\nexport { User, Admin, Model };\n`],
    [
      "CommonJS",
      commonJs,
      "main.cjs",
      "user.cjs",
      (text: string) => `${text}\nmodule.exports = { User, Admin, Model };\n`,
    ],
    ["TypeScript", typescript, "main.ts", "user.ts", (text: string) => `${text}\nexport { User, Admin, Model };\n`],
  ] as const;
  for (const [kind, files, entry, file, exporting] of kinds) {
    test(`${kind}: what is not named is reopened, what descends from a name is purged`, async () => {
      const typed = kind === "TypeScript" ? "declare name: string; " : "";
      const version = (word: string, more = "") =>
        exporting(`class User { ${typed}static made = 0; constructor() { this.name = "a"; User.made++; } word() { return "${word}"; } ${more} }
class Admin extends User { word() { return super.word() + "!"; } }
class Model extends User {
  static [Symbol.for("unreloader.purge")]() { (globalThis.purged ??= []).push("${word}"); }
}
globalThis.Model = Model;
globalThis.Admin = Admin;`);
      await using asked = await Asked.start({ ...files, [file]: version("one", "gone() {}") }, entry, keepAll);
      const { app } = asked;
      await asked.ask(
        "held.user = new models.User(), held.admin = new models.Admin(), held.model = new models.Model(), models.User.cache = 1, held.User = models.User, held.Model = models.Model, 0",
      );
      app.write(file, version("two", "get name2() { return this.name + 2; }"));
      assert.deepEqual(
        await asked.ask("[held.user.word(), held.admin.word(), held.user.name2, 'gone' in held.admin]"),
        ["two", "two!", "a2", false],
      );
      assert.deepEqual(
        await asked.ask(
          "[held.user instanceof models.User, held.admin instanceof models.Admin, held.admin instanceof models.User, new models.User() instanceof held.User, new models.Admin() instanceof held.User, held.user instanceof models.Admin]",
        ),
        [true, true, true, true, true, false],
      );
      assert.deepEqual(await asked.ask("[held.user.constructor === models.User, models.User.cache]"), [true, 1]);
      assert.deepEqual(await asked.ask("[models.User.made > 0, held.User.made === models.User.made]"), [true, true]);
      assert.deepEqual(
        await asked.ask("[held.model.constructor === held.Model, held.model instanceof models.Model, purged]"),
        [true, false, ["one"]],
      );
      assert.deepEqual(await asked.ask("[globalThis.Model === models.Model, globalThis.Admin === models.Admin]"), [
        true,
        true,
      ]);
      assert.deepEqual(asked.warnings(), []);
    });
  }

  test("the report names the classes that were purged, and only those", async () => {
    const text = (n: number) =>
      `export class User { a() { return ${n}; } }\nexport class Model {}\nexport class Post extends Model {}\n`;
    await using asked = await Asked.start({ ...esm, "user.js": text(1) }, "main.js", {
      flags: ["--subclasses", "Model", "--log-format", "json"],
      announced: /"listening"/,
    });
    asked.app.write("user.js", text(2));
    const line = await asked.served.lines.wait(/"event":"reload"/);
    const { purged } = JSON.parse(line) as { purged: { file: string; classes: string[] }[] };
    assert.deepEqual(purged, [{ file: asked.app.path("user.js"), classes: ["Model", "Post"] }]);
  });

  test("without a filter all classes are purged: hooks run, global names go, old instances stay old", async () => {
    const text = (n: number, puts: string) => `export class User {
  word() { return ${n}; }
  static async [Symbol.for("unreloader.purge")]() {
    await new Promise((resolve) => setImmediate(resolve));
    (globalThis.purged ??= []).push(this.name + ${n});
  }
}
export class Admin extends User {}
${puts}
export const seen = globalThis.purged?.length;
`;
    await using asked = await Asked.start(
      { ...esm, "user.js": text(1, "globalThis.User = User; globalThis.Admin = class {};") },
      "main.js",
    );
    await asked.ask("held.user = new models.User()");
    asked.app.write("user.js", text(2, ""));
    assert.deepEqual(await asked.ask("[held.user.word(), held.user instanceof models.User]"), [1, false]);
    assert.deepEqual(await asked.ask("[purged, models.seen, 'User' in globalThis]"), [["Admin1", "User1"], 2, false]);
  });

  test("a purge hook that throws is reported and stops nothing", async () => {
    const text = (n: number) => `export class User {
  static [Symbol.for("unreloader.purge")]() { throw new Error("cannot ${n}"); }
  static n = ${n};
}
`;
    await using asked = await Asked.start({ ...esm, "user.js": text(1) }, "main.js");
    asked.app.write("user.js", text(2));
    assert.equal(await asked.ask("models.User.n"), 2);
    await asked.served.lines.wait(/purging user\.js: the purge hook of class User failed: cannot 1/);
  });

  test("package#Name is the class that the package exports, whether it is an ES module or not", async () => {
    const packages = {
      "node_modules/modern/package.json": `{ "name": "modern", "type": "module", "exports": "./index.js" }`,
      "node_modules/modern/index.js": "export class Model {}\n",
      "node_modules/nested/package.json": `{ "name": "nested", "main": "lib/main.js" }`,
      "node_modules/nested/lib/main.js": `class Model {}\nmodule.exports = exports = new (class Nested {})();\nexports.Model = Model;\n`,
      "node_modules/@scope/other/package.json": `{ "name": "@scope/other", "main": "index.js" }`,
      "node_modules/@scope/other/index.js": "exports.Model = class Model {};\n",
    };
    const text = (n: number) => `import { Model as Modern } from "modern";
import nested from "nested";
import { Model as Other } from "@scope/other";
export class A extends Modern { n() { return ${n}; } }
export class B extends nested.Model { n() { return ${n}; } }
export class C extends Other { n() { return ${n}; } }
export class Model { n() { return ${n}; } }
`;
    const kept = async (...names: string[]) => {
      await using asked = await Asked.start({ ...esm, ...packages, "user.js": text(1) }, "main.js", {
        flags: ["--subclasses", names.join(",")],
      });
      await asked.ask("held.all = ['A', 'B', 'C', 'Model'].map((name) => new models[name]())");
      asked.app.write("user.js", text(2));
      const now = (await asked.ask("held.all.map((one) => one.n())")) as number[];
      assert.deepEqual(asked.warnings(), []);
      return now.map((n, k) => (n === 2 ? ["A", "B", "C", "Model"][k] : "")).join("");
    };
    assert.equal(await kept("modern#Model"), "BCModel");
    assert.equal(await kept("nested#Model", "@scope/other#Model"), "AModel");
    assert.equal(await kept("Model"), "");
  });

  test("sequelize#Model selects the models of sequelize", async () => {
    const text = (n: number) => `import { Model, Sequelize, DataTypes } from "sequelize";
export class Row extends Model { n() { return ${n}; } }
Row.init({ name: DataTypes.STRING }, { sequelize: globalThis.database ??= new Sequelize({ dialect: "sqlite", storage: ":memory:", logging: false }), modelName: "Row" });
export class Plain { n() { return ${n}; } }
`;
    await using asked = await Asked.start({ ...esm, "user.js": text(1) }, "main.js", {
      flags: ["--subclasses", "sequelize#Model"],
      packages: ["sequelize", "sqlite3"],
    });
    await asked.ask("held.row = models.Row.build({ name: 'a' }), held.plain = new models.Plain(), 0");
    asked.app.write("user.js", text(2));
    assert.deepEqual(await asked.ask("[held.row.n(), held.plain.n(), models.Row.build().n()]"), [1, 2, 2]);
    assert.deepEqual(asked.warnings(), []);
  });

  test("functions and plain objects on globalThis go when they are named, and stay otherwise; patches always go", async () => {
    const puts = `globalThis.Named = {}; globalThis.named = () => 1; globalThis.Other = {}; globalThis.other = () => 1;
globalThis.answer = 42; const { structuredClone: clone } = globalThis; globalThis.structuredClone = Object.assign((value) => clone(value), { patched: true });
`;
    const names = ["Named", "named", "Other", "other", "answer"];
    const left = async (...flags: string[]) => {
      await using asked = await Asked.start({ ...esm, "user.js": puts }, "main.js", { flags });
      const present = `${JSON.stringify(names)}.filter((name) => name in globalThis)`;
      assert.deepEqual(await asked.ask(present), names);
      assert.equal(await asked.ask("'patched' in structuredClone"), true);
      asked.app.write("user.js", "export const gone = true;\n");
      assert.equal(await asked.ask("'patched' in structuredClone"), false);
      return await asked.ask(present);
    };
    assert.deepEqual(await left("--subclasses", "Named,named"), ["Other", "other"]);
    assert.deepEqual(await left(), []);
  });

  test("names that mean nothing are reported once each, and the rest counts", async () => {
    const text = (n: number) =>
      `export class Model { n() { return ${n}; } }\nexport class User { n() { return ${n}; } }\n`;
    await using asked = await Asked.start({ ...esm, "user.js": text(1) }, "main.js", {
      flags: ["--subclasses", "Modle,Model,a#,#x,a#b#c,1st", "--subclasses", "nowhere#Thing,Modle"],
    });
    await asked.served.lines.wait(/nowhere#Thing/);
    await asked.ask("held.all = [new models.Model(), new models.User()]");
    asked.app.write("user.js", text(2));
    assert.deepEqual(await asked.ask("held.all.map((one) => one.n())"), [1, 2]);
    asked.app.write("package.json", `{ "name": "app", "type": "module", "version": "1.0.0" }\n`);
    await asked.ask("0");
    const told = asked.warnings().map((line) => line.replace(/^.*subclasses: /, ""));
    assert.deepEqual(told, [
      ...["a#", "#x", "a#b#c", "1st"].map(
        (text) => `"${text}" is ignored: expected a class name such as Model, or package#Name such as sequelize#Model`,
      ),
      "Modle is ignored: no class, global or export of this name has been seen; did you mean Model?",
      "nowhere#Thing is ignored: no such export of a loaded package has been seen; expected a class name such as Model, or package#Name such as sequelize#Model",
    ]);
  });

  test("a class with #private members is purged, and a warning says so, also when only its new version has them", async () => {
    const text = (n: number, a: string, b: string) =>
      `export class A { ${a} n() { return ${n}; } }\nexport class B { ${b} n() { return ${n}; } }\n`;
    await using asked = await Asked.start({ ...esm, "user.js": text(1, "#x = 1;", "") }, "main.js", keepAll);
    await asked.ask("held.all = [new models.A(), new models.B()]");
    asked.app.write("user.js", text(2, "", "#x() {}"));
    assert.deepEqual(await asked.ask("held.all.map((one) => one.n())"), [1, 1]);
    assert.equal(asked.warnings().length, 2);
    assert.match(
      asked.warnings().join("\n"),
      /user\.js: class A was purged, not reopened, because it has #private members/,
    );
    assert.match(asked.warnings().join("\n"), /class B was purged, not reopened, because its new version has #private/);
  });

  test("frozen classes are purged with a warning; classes that the new version lacks, and anonymous ones, without", async () => {
    const hook = `static [Symbol.for("unreloader.purge")]() { (globalThis.purged ??= []).push(this.label); }`;
    const text = (n: number, more: string) => `export class Frozen { n() { return ${n}; } }
Object.freeze(Frozen);
export const list = [class { static label = "anonymous"; ${hook} n() { return ${n}; } }, class {}];
${more}
`;
    await using asked = await Asked.start(
      { ...esm, "user.js": text(1, `export class Gone { static label = "gone"; ${hook} } globalThis.Gone = Gone;`) },
      "main.js",
      keepAll,
    );
    await asked.ask("held.all = [new models.Frozen(), new models.list[0]()]");
    asked.app.write("user.js", text(2, ""));
    assert.deepEqual(await asked.ask("[...held.all.map((one) => one.n()), purged, 'Gone' in globalThis]"), [
      1,
      1,
      ["gone", "anonymous"],
      false,
    ]);
    assert.equal(asked.warnings().length, 1);
    assert.match(asked.warnings()[0] ?? "", /class Frozen was purged, not reopened, because it is frozen/);
  });

  test("a CommonJS file whose export is one anonymous class is reopened", async () => {
    const text = (n: number) => `module.exports = class { n() { return ${n}; } };\n`;
    await using asked = await Asked.start({ ...commonJs, "user.cjs": text(1) }, "main.cjs", keepAll);
    await asked.ask("held.user = new models()");
    asked.app.write("user.cjs", text(2));
    assert.deepEqual(await asked.ask("[held.user.n(), held.user instanceof models]"), [2, true]);
  });

  test("a reload that fails leaves classes and instances as they were; the next one reopens them", async () => {
    const text = (n: number, end = "") =>
      `export class User { static s = ${n}; n() { return ${n}; } }\nexport class Model { n() { return ${n}; } }\n${end}`;
    await using asked = await Asked.start({ ...esm, "user.js": text(1) }, "main.js", {
      flags: ["--subclasses", "Model", "--on-error", "last-good"],
    });
    const n =
      "[held.user.n(), models.User.s, held.user.constructor === models.User, Object.getOwnPropertyNames(models.User.prototype)]";
    await asked.ask("held.user = new models.User()");
    asked.app.write("user.js", text(2));
    assert.deepEqual(await asked.ask(n), [2, 2, true, ["constructor", "n"]]);
    asked.app.write("main.js", `${esm["main.js"]}\nif (user.User.s === 3) throw new Error("no");\n`);
    asked.app.write("user.js", text(3));
    assert.deepEqual(await asked.ask(n), [2, 2, true, ["constructor", "n"]]);
    asked.app.write("user.js", text(4));
    assert.deepEqual(await asked.ask(n), [4, 4, true, ["constructor", "n"]]);
  });

  test("a kept subclass that a request has made, and a file that is loaded late, follow", async () => {
    const late = {
      ...esm,
      "main.js": esm["main.js"]
        .replace('import * as user from "./user.js";', "")
        .replace(
          "const models = () => user;",
          'const models = () => ({ user: import("./user.js"), late: import("./late.js") });',
        ),
    };
    const text = (n: number) => `export class User { constructor() { this.made = ${n}; } n() { return ${n}; } }\n`;
    const extending = `import { User } from "./user.js";
const made = [];
export const extended = () => (made[0] ??= class Extended extends User { n() { return "extended " + super.n(); } });
`;
    await using asked = await Asked.start({ ...late, "user.js": text(1), "late.js": extending }, "main.js", keepAll);
    const { app } = asked;
    await asked.ask("models.user.then((user) => held.user = new user.User())");
    await asked.ask("models.late.then((late) => held.extended = new (held.Extended = late.extended())())");
    app.write("user.js", text(2));
    assert.deepEqual(
      await asked.ask(
        "Promise.all([models.user, models.late]).then(([user, late]) => [held.user.n(), held.extended.n(), new held.Extended().made, late.extended() === held.Extended, Object.getPrototypeOf(held.Extended) === user.User])",
      ),
      [2, "extended 2", 2, true, true],
    );
  });

  test("a deleted file's classes are purged", async () => {
    const hook = `static [Symbol.for("unreloader.purge")]() { globalThis.purged = true; }`;
    await using asked = await Asked.start(
      {
        ...esm,
        "user.js": `import "./extra.js";\nexport const n = 1;\n`,
        "extra.js": `globalThis.Extra = class Extra { ${hook} };\n`,
      },
      "main.js",
      keepAll,
    );
    assert.equal(await asked.ask("typeof Extra"), "function");
    asked.app.write("user.js", "export const n = 2;\n");
    asked.app.remove("extra.js");
    assert.deepEqual(await asked.ask("[models.n, typeof Extra, globalThis.purged]"), [2, "undefined", true]);
  });

  test("TypeScript's legacy decorators: the class that replaces another is reopened as well", async () => {
    const text = (n: number) => `function replaced<T extends new (...args: any[]) => object>(Base: T): T {
  return class extends Base { extra() { return ${n}; } } as T;
}
@replaced
export class User { n() { return ${n}; } }
`;
    await using asked = await Asked.start(
      {
        ...typescript,
        "tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true } }`,
        "user.ts": text(1),
      },
      "main.ts",
      keepAll,
    );
    await asked.ask("held.user = new models.User()");
    asked.app.write("user.ts", text(2));
    assert.equal(await asked.ask("held.user.n()"), 2);
  });

  test("after 100 reloads one old instance has the newest methods, and the versions between are collected", async () => {
    const text = (n: number) => `export class User { ballast = new Array(1000).fill(${n}); n() { return ${n}; } }
(globalThis.versions ??= []).push(new WeakRef(User));
`;
    await using asked = await Asked.start({ ...esm, "user.js": text(0) }, "main.js", keepAll);
    await asked.ask("held.user = new models.User()");
    for (let n = 1; n <= 100; n++) {
      asked.app.write("user.js", text(n));
      assert.equal(await asked.ask("held.user.n()"), n);
    }
    assert.equal(await asked.ask("versions.length"), 101);
    // A heap snapshot begins with the most thorough collection there is.
    const collect = `import("node:v8").then(async ({ getHeapSnapshot }) => {
      for (let turn = 0; turn < 3; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        getHeapSnapshot().destroy();
      }
      return versions.filter((version) => version.deref()).length;
    })`;
    const alive = await asked.ask(collect);
    assert.ok(Number(alive) <= 4, `${alive} of 101 versions are alive`);
    const steps = `(() => { let steps = 0; for (let object = held.user; object; object = Object.getPrototypeOf(object)) steps++; return steps; })()`;
    assert.ok(Number(await asked.ask(steps)) <= 6);
  });
});
