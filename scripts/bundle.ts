/**
 * Puts what `tsc` has built into few files, in `lib/`: a start reads a dozen of them instead of 150. What is loaded by its
 * path (the command line, the worker, what is required when it is needed) stays at the place that it has in `dist/`, so that
 * every path in the code holds in both; the rest is in chunks that these share. The tests of single parts run in `dist/`.
 */
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const built = fileURLToPath(new URL("../", import.meta.url));
const target = path.resolve(built, "../lib");
const manifest = JSON.parse(readFileSync(path.resolve(built, "../package.json"), "utf8")) as Manifest;
interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** Whose own URL is in a text that Node loads, or that is looked up by a name put together. */
const BY_NAME = /^workers\/(runtime\/namespace-bridge|adapters\/[^/]+)\.js$/;

/** What takes the place of `import.meta.url` and `import.meta.dirname`. */
const URL_OF_MODULE = "ownUrlInLib";
const DIRNAME = "ownFolderInLib";

const files = ["src", "workers"].flatMap((folder) =>
  readdirSync(path.join(built, folder), { recursive: true, encoding: "utf8" })
    .map((name) => path.join(folder, name).split(path.sep).join("/"))
    .filter((name) => name.endsWith(".js") && !name.startsWith("src/browser/")),
);

const entries = new Set([
  ...namedIn(manifest),
  ...files.filter((name) => BY_NAME.test(name)),
  ...files.flatMap(loadedByPath),
]);

function namedIn({ bin, exports }: Manifest): string[] {
  const named = Object.values({ ...bin, ...exports }).map((to) => (typeof to === "string" ? to : to.default));
  return named.filter((file) => file.startsWith("./lib/")).map((file) => file.slice("./lib/".length));
}

/** Files whose path a file has in a literal: `new URL("./x.js", import.meta.url)`, `require("./x.js")`. */
function loadedByPath(from: string): string[] {
  const text = readFileSync(path.join(built, from), "utf8");
  const literal = /(?:new URL|\brequire|createRequire\(import\.meta\.url\)|register)\(\s*"(\.[^"]+\.js)"/g;
  return [...text.matchAll(literal)].map(([, specifier = ""]) => path.posix.join(path.posix.dirname(from), specifier));
}

/** Where a module's `import.meta` says it is: at its place in `lib/`, whichever chunk it is in. */
const ownPlaces: Plugin = {
  name: "own places",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^unreloader:root$/ }, () => ({ path: "root", namespace: "unreloader" }));
    // Entries share it, so it stands in a chunk, whose folder is known.
    onLoad({ filter: /.*/, namespace: "unreloader" }, () => ({
      contents: `import path from "node:path";
        const root = path.dirname(path.dirname(import.meta.filename));
        import { pathToFileURL } from "node:url";
        export const urlAt = (name) => pathToFileURL(path.join(root, name)).href;
        export const folderAt = (name) => path.dirname(path.join(root, name));`,
    }));
    onLoad({ filter: /\.js$/, namespace: "file" }, ({ path: file }) => {
      const text = readFileSync(file, "utf8");
      if (!file.startsWith(built) || !/\bimport\.meta\.(url|dirname)/.test(text)) return undefined;
      const name = JSON.stringify(path.relative(built, file).split(path.sep).join("/"));
      const contents = `import { folderAt as folderInLib, urlAt as urlInLib } from "unreloader:root";
        const ${DIRNAME} = folderInLib(${name}), ${URL_OF_MODULE} = urlInLib(${name});
        ${text}`;
      return { contents };
    });
  },
};

/**
 * What the app's globals are called in our code: an app may put a mocked clock in their place, or nothing, and we go on with
 * Node's.
 */
const GLOBALS = [
  "process",
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "queueMicrotask",
];
const nodesOwn = path.join(built, "nodes-own.js");
writeFileSync(nodesOwn, GLOBALS.map((name) => `export const ${name} = globalThis.${name};\n`).join(""));

const { metafile } = await build({
  inject: [nodesOwn],
  entryPoints: [...entries].map((name) => path.join(built, name)),
  outbase: built,
  outdir: target,
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  external: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  metafile: true,
  plugins: [ownPlaces],
  define: { "import.meta.url": URL_OF_MODULE, "import.meta.dirname": DIRNAME },
  // The app's specifiers.
  logOverride: { "unsupported-dynamic-import": "silent" },
  logLevel: "warning",
});

/**
 * The entries of the package once more, as CommonJS: runners of tests that have a `require` of their own cannot load ES modules with it.
 * Which of the two an app has makes no difference: what they share is the thread's, or loaded by Node's own `require`.
 */
const commonJs = await build({
  entryPoints: ["index", "app-side/app-api", "app-side/hot"].map((name) => path.join(built, `src/${name}.js`)),
  outbase: path.join(built, "src"),
  outdir: path.join(target, "src"),
  outExtension: { ".js": ".cjs" },
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20.19",
  external: [...Object.keys(manifest.dependencies), "./embedding.js"],
  define: { "import.meta.url": "__filename" },
  metafile: true,
  plugins: [
    {
      name: "plain require",
      setup({ onLoad }) {
        onLoad({ filter: /[\\/]app-api\.js$/ }, ({ path: file }) => ({
          contents: readFileSync(file, "utf8").replace("const require = createRequire(import.meta.url);", ""),
        }));
      },
    },
  ],
  logLevel: "warning",
});

/** What runs in browsers: a script or a style each, which pages of the supervisor's own have in them. */
const browser = path.resolve(built, "../src/browser");
const inBrowsers = await build({
  entryPoints: readdirSync(browser)
    .filter((name) => /\.(ts|css)$/.test(name))
    .map((name) => path.join(browser, name)),
  outdir: path.join(target, "src/browser"),
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022", "chrome105", "firefox110", "safari16"],
  metafile: true,
  logLevel: "warning",
});
// Tests of single parts look beside these.
const forTests = path.join(built, "src/browser");
rmSync(forTests, { recursive: true, force: true });
cpSync(path.join(target, "src/browser"), forTests, { recursive: true });

// CommonJS of our own, as it is.
const copied = ["workers/loader-reads.cjs"].map((name) => path.join(target, name));
for (const file of copied) copyFileSync(path.join(built, path.relative(target, file)), file);

// Those of the build before.
const outputs = [
  ...Object.keys(metafile.outputs),
  ...Object.keys(commonJs.metafile.outputs),
  ...Object.keys(inBrowsers.metafile.outputs),
  ...copied,
];
const present = new Set(outputs.map((name) => path.resolve(name)));
for (const name of readdirSync(target, { recursive: true, encoding: "utf8" })) {
  const file = path.join(target, name);
  if (/\.c?js$/.test(name) && !present.has(file)) rmSync(file);
}
