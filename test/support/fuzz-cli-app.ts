/**
 * The apps of the command line's fuzzer: what they are made of, and their text. Every module carries a version number,
 * and an answer shows the versions of all modules that took part in it, so that a stale answer betrays itself.
 */
export type Frame = "http" | "express4" | "express5" | "fastify" | "ws";
export type Format = "cjs" | "esm";

/** What a module does while it is evaluated, or leaves behind. */
export type Mood =
  | { readonly is: "well" }
  /** Evaluated for so many milliseconds, the thread blocked or, in ESM, an `await`. */
  | { readonly is: "slow"; readonly ms: number; readonly awaits: boolean }
  | { readonly is: "ticking" }
  | { readonly is: "listening-late"; readonly ms: number }
  | { readonly is: "throwing" }
  | { readonly is: "unparsable" }
  | { readonly is: "importing-nothing" }
  | { readonly is: "awaiting-for-ever" }
  | { readonly is: "looping" }
  | { readonly is: "crashing-later"; readonly ms: number }
  | { readonly is: "exiting-later"; readonly ms: number }
  /** The system ends the whole process. */
  | { readonly is: "dying-later"; readonly ms: number }
  | { readonly is: "disposed-never" }
  | { readonly is: "disposed-looping" }
  /** The file is empty: half of a save. */
  | { readonly is: "half" };

export interface FuzzApp {
  readonly frame: Frame;
  readonly format: Format;
  /** A second server on a port of its own. */
  readonly second: boolean;
  /** Modules `m0` to `m(N-1)`; `m0` imports those in `links[0]`, and so on. All are imported by `routes`. */
  readonly links: readonly (readonly number[])[];
}

export const WELL: Mood = { is: "well" };

/** Moods with which the app answers as it should. */
export function isFit(mood: Mood): boolean {
  return ["well", "slow", "ticking", "listening-late"].includes(mood.is);
}

/** Milliseconds that the mood adds to a start of the app. */
export function startCost(mood: Mood): number {
  return "ms" in mood ? mood.ms : 0;
}

/** Names of the app's modules, without extension. */
export function modulesOf(app: FuzzApp): string[] {
  return ["main", "routes", ...app.links.map((_, index) => `m${index}`)];
}

export function packagesOf(app: FuzzApp): string[] {
  return ["unreloader", ...(app.frame === "http" ? [] : [app.frame === "express5" ? "express" : app.frame])];
}

export function packageJson(app: FuzzApp, version: number): string {
  const type = app.format === "esm" ? "module" : "commonjs";
  return `${JSON.stringify({ name: "app", private: true, version: `0.0.${version}`, type })}\n`;
}

/** The text of module `name` at `version`. */
export function moduleText(app: FuzzApp, name: string, version: number, mood: Mood): string {
  if (mood.is === "half") return "";
  const lines = [...imports(app, name, mood), `const version = ${version};`, ...moodLines(mood)];
  if (name === "main") lines.push(...mainLines(app, mood));
  else if (name === "routes") lines.push(...routesLines(app));
  const names = name === "routes" ? ["version", "handle"] : ["version"];
  lines.push(
    app.format === "esm"
      ? `export { ${names.join(", ")} };`
      : names.map((each) => `exports.${each} = ${each};`).join(" "),
  );
  return `${lines.join("\n")}\n`;
}

function imports(app: FuzzApp, name: string, mood: Mood): string[] {
  const own = ownImports(app, name).map((other) => load(app, other, `./${other}.js`, true));
  if (mood.is === "importing-nothing") own.push(load(app, "nothing", "./nothing.js", true));
  if (mood.is === "disposed-never" || mood.is === "disposed-looping")
    own.push(
      app.format === "esm"
        ? 'import { unreloader } from "unreloader/app";'
        : 'const { unreloader } = require("unreloader/app");',
    );
  if (name === "routes") own.push(load(app, "fs", "node:fs", false));
  if (name === "main") own.push(load(app, "http", "node:http", false), ...frameImports(app));
  return own;
}

function ownImports(app: FuzzApp, name: string): string[] {
  if (name === "main") return ["routes"];
  if (name === "routes") return app.links.map((_, index) => `m${index}`);
  return (app.links[Number(name.slice(1))] ?? []).map((index) => `m${index}`);
}

function load(app: FuzzApp, name: string, specifier: string, whole: boolean): string {
  if (app.format === "cjs") return `const ${name} = require("${specifier}");`;
  return `import ${whole ? "* as " : ""}${name} from "${specifier}";`;
}

function frameImports(app: FuzzApp): string[] {
  if (app.frame === "http") return [];
  if (app.frame === "ws")
    return [
      app.format === "esm" ? 'import { WebSocketServer } from "ws";' : 'const { WebSocketServer } = require("ws");',
    ];
  const name = app.frame === "express5" ? "express" : app.frame;
  return [load(app, "frame", name, false)];
}

function moodLines(mood: Mood): string[] {
  switch (mood.is) {
    case "slow":
      return mood.awaits
        ? [`await new Promise((resolve) => setTimeout(resolve, ${mood.ms}));`]
        : [`for (const until = performance.now() + ${mood.ms}; performance.now() < until; );`];
    case "ticking":
      return ["let ticks = 0; setInterval(() => { ticks++; }, 5); process.on('beforeExit', () => ticks);"];
    case "throwing":
      return [`throw new Error("the module throws");`];
    case "unparsable":
      return ["const broken = {;"];
    case "awaiting-for-ever":
      return ["await new Promise(() => {});"];
    case "looping":
      return ["for (;;);"];
    case "crashing-later":
      return [`setTimeout(() => { throw new Error("crashed later"); }, ${mood.ms});`];
    case "exiting-later":
      return [`setTimeout(() => process.exit(3), ${mood.ms});`];
    case "dying-later":
      return [`setTimeout(() => process.kill(process.pid, "SIGKILL"), ${mood.ms});`];
    case "disposed-never":
      return ["unreloader.dispose(() => new Promise(() => {}));"];
    case "disposed-looping":
      return ["unreloader.dispose(() => { for (;;); });"];
    case "well":
    case "listening-late":
    case "importing-nothing":
    case "half":
      return [];
  }
}

function mainLines(app: FuzzApp, mood: Mood): string[] {
  const handler = "(req, res) => routes.handle(req, res, version)";
  const lines: string[] = [];
  if (app.frame === "http" || app.frame === "ws") lines.push(`const server = http.createServer(${handler});`);
  else if (app.frame === "fastify")
    lines.push(
      "const app = frame({ logger: false });",
      "app.removeAllContentTypeParsers();",
      'app.addContentTypeParser("*", (request, payload, done) => done(null));',
      'app.all("/*", (request, reply) => { reply.hijack(); routes.handle(request.raw, reply.raw, version); });',
      "const server = app.server;",
    );
  else lines.push("const app = frame();", `app.use(${handler});`, "const server = http.createServer(app);");
  // A kept connection must not end by itself in the moment in which a client uses it.
  lines.push("server.keepAliveTimeout = 0;", "server.requestTimeout = 0;", "server.headersTimeout = 0;");
  if (app.frame === "ws")
    lines.push(
      "const sockets = new WebSocketServer({ server });",
      'sockets.on("connection", (socket) => { socket.on("error", () => {}); socket.send("open " + version); });',
    );
  else
    lines.push(
      'server.on("upgrade", (req, socket) => {',
      '  socket.on("error", () => {});',
      '  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n");',
      '  socket.on("data", (piece) => socket.write(piece));',
      "});",
    );
  const open = [
    app.frame === "fastify"
      ? 'app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });'
      : 'server.listen(Number(process.env.PORT), "127.0.0.1");',
  ];
  if (app.second)
    open.push(
      `const second = http.createServer(${handler});`,
      "second.keepAliveTimeout = 0; second.requestTimeout = 0;",
      'second.listen(Number(process.env.PORT2), "127.0.0.1");',
    );
  if (mood.is === "listening-late") lines.push("setTimeout(() => {", ...open, `}, ${mood.ms});`);
  else lines.push(...open);
  return lines;
}

function routesLines(app: FuzzApp): string[] {
  const values = app.links.map((_, index) => `m${index}: m${index}.version`).join(", ");
  return [
    `const versions = (main) => ({ main, routes: version, ${values} });`,
    "function note(req) {",
    // One for the whole thread: nobody closes what a request opens when the module goes.
    '  try { globalThis.log ??= fs.openSync(process.env.FUZZ_LOG, "a"); fs.writeSync(log, req.headers["x-id"] + "\\n"); }',
    // Few descriptors: the log is only one of the checks.
    "  catch (error) { if (error.code !== 'EMFILE') throw error; }",
    "}",
    "function handle(req, res, main) {",
    "  const url = new URL(req.url, 'http://localhost');",
    "  const ms = Number(url.searchParams.get('ms') ?? 0);",
    "  const begun = versions(main);",
    "  note(req);",
    "  const answer = (more) => {",
    "    if (!res.headersSent) res.setHeader('X-App', '1');",
    "    res.end(JSON.stringify({ id: req.headers['x-id'], begun, ended: versions(main), ...more }));",
    "  };",
    "  switch (url.pathname) {",
    "    case '/slow': setTimeout(answer, ms); break;",
    "    case '/busy': { for (const until = performance.now() + ms; performance.now() < until; ); answer(); break; }",
    "    case '/stream': {",
    "      res.setHeader('X-App', '1');",
    "      let left = 10;",
    "      const piece = () => {",
    "        if (left-- > 0) { res.write('piece '); setTimeout(piece, ms / 10); }",
    "        else answer();",
    "      };",
    "      piece();",
    "      break;",
    "    }",
    "    case '/upload': {",
    "      let size = 0;",
    "      req.on('data', (piece) => { size += piece.length; });",
    "      req.on('end', () => answer({ size }));",
    "      break;",
    "    }",
    "    case '/early': res.statusCode = 413; res.setHeader('Connection', 'close'); answer(); break;",
    "    case '/events': {",
    "      res.setHeader('X-App', '1'); res.setHeader('Content-Type', 'text/event-stream');",
    "      const timer = setInterval(() => res.write('data: tick\\n\\n'), 20);",
    "      res.on('close', () => clearInterval(timer));",
    "      break;",
    "    }",
    "    case '/never': break;",
    "    case '/loop': for (;;);",
    "    case '/crash': setImmediate(() => { throw new Error('crashed by a request'); }); break;",
    "    case '/reject': Promise.reject(new Error('rejected by a request')); break;",
    "    case '/exit': process.exit(4);",
    "    case '/die': process.kill(process.pid, 'SIGKILL'); break;",
    "    default: answer();",
    "  }",
    "}",
  ];
}
