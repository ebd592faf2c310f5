/** The command line of `node`, as far as one needs it to find the script. Pure. */

/** Flags whose value may be the next argument. */
const WITH_VALUE = new Set(
  (
    "-r --require --import -C --conditions --loader --experimental-loader --env-file --env-file-if-exists --title --icu-data-dir " +
    "--openssl-config --redirect-warnings --report-dir --report-directory --report-filename --report-signal --dns-result-order " +
    "--disable-warning --diagnostic-dir --inspect-port --debug-port --input-type --max-http-header-size --secure-heap " +
    "--secure-heap-min --stack-trace-limit --tls-cipher-list --tls-keylog --trace-event-categories --trace-event-file-pattern " +
    "--unhandled-rejections --use-largepages --v8-pool-size --cpu-prof-dir --cpu-prof-name --cpu-prof-interval " +
    "--heap-prof-dir --heap-prof-name --heap-prof-interval --heapsnapshot-near-heap-limit --heapsnapshot-signal " +
    "--localstorage-file --allow-fs-read --allow-fs-write --es-module-specifier-resolution"
  ).split(" "),
);
/** With these Node runs no script, or another one than the first argument that is no flag. */
const WITHOUT_SCRIPT =
  /^(?:-e|--eval|-p|--print|-pe|-i|--interactive|-c|--check|-h|--help|-v|--version|--test|--watch|--watch-path|--run|--build-snapshot|--build-snapshot-config|--experimental-sea-config|--build-sea|--prof-process|--completion-bash|--v8-options|--test-only)(?:=|$)/;

/** Index of the script among the arguments of `node`; undefined when they name none. */
export function scriptIndex(args: readonly string[]): number | undefined {
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument === "--") return index + 1 < args.length ? index + 1 : undefined;
    if (argument === "-" || WITHOUT_SCRIPT.test(argument)) return undefined;
    if (!argument.startsWith("-")) return index;
    if (WITH_VALUE.has(argument)) index++;
  }
  return undefined;
}

/** What runs TypeScript by itself, when it is preloaded. */
const RUNNERS =
  /(?:^|[\s=/"@\\])(?:tsx|ts-node|tsm|esbuild-register|esbuild-runner|@?swc-node|@swc[\\/]register|sucrase|jiti|@babel[\\/]register|@oxc-node|tsimp|tsimport|amaro)(?=$|[\s"\\/@])/;

/** Whether flags of Node's preload something that runs TypeScript: then it is left to that. */
export function preloadsRunner(flags: readonly string[], nodeOptions: string | undefined): boolean {
  const words = [...flags, ...(nodeOptions === undefined ? [] : [nodeOptions])];
  return words.some((word) => RUNNERS.test(word));
}
