/**
 * Puts compiled code together and hands it to V8, under the name that Node would give the file.
 *
 * V8 keeps in a function's scope only the variables that inner functions mention. ANCHOR mentions `__ur` and never runs,
 * so that every function of the module keeps `__ur` alive, whatever it uses itself: how one learns that a purged version
 * is still alive (stale/stale-references.ts). Holds on Node 20, 22, 24 and 26, for generators too.
 */
import v8 from "node:v8";
import vm from "node:vm";
import { TABLE } from "../../src/common/compile/cells.js";
import type { CompiledModule, PreparedModule } from "../../src/common/compile/compiled-module.js";
import type { EncodedSourceMap } from "../../src/common/compile/source-map.js";
import type { BodyForm } from "./module-record.js";

const FUNCTION_OF_FORM: Readonly<Record<BodyForm, string>> = {
  plain: "function",
  resumable: "function*",
  async: "async function*",
};

const ANCHOR = "if (false) () => __ur;";
/** What functions with cells ask (swaps.ts). */
const SWAPS = `const ${TABLE} = __ur.swaps; `;

export class Scripts {
  readonly #mapOf: ((compiled: CompiledModule) => EncodedSourceMap) | undefined;
  #cacheIsOff = false;

  /** With `mapOf`, each script ends with its source map: a debugger finds its breakpoints by it. */
  constructor(mapOf?: (compiled: CompiledModule) => EncodedSourceMap) {
    this.#mapOf = mapOf;
  }

  /** Compiles an `esm` module. The result takes `__ur`, or the CommonJS names first when the module has interop. */
  compileEsm({ compiled }: PreparedModule, url: string, form: BodyForm): unknown {
    const body = `${FUNCTION_OF_FORM[form]} (__ur) { 'use strict'; ${ANCHOR} ${swapsOf(compiled)}`;
    const open = compiled.interop === "none" ? `(${body}` : `(${COMMONJS_FUNCTION}{ return (${body}`;
    const close = compiled.interop === "none" ? "\n})" : "\n}); })";
    // A generator stops here only if it has something to wait for, so that bodies start in the order of the specification.
    const dependencies = form === "plain" ? "__ur.dependencies(); " : "if (__ur.dependencies()) yield; ";
    return this.#compile(open + rebindable(compiled) + dependencies, compiled, close, url);
  }

  /**
   * Compiles a `commonjs` module. The result takes `__ur` and gives the function that Node would call, of the CommonJS names: it
   * has no argument more than there.
   */
  compileCommonJs({ compiled }: PreparedModule): unknown {
    const head = `(function (__ur) { ${swapsOf(compiled)}return (${COMMONJS_FUNCTION}{ `;
    // At the end: a directive must stay first.
    return this.#compile(head, compiled, `\n;${ANCHOR}}); })`, compiled.file);
  }

  #compile(head: string, compiled: CompiledModule, close: string, filename: string): unknown {
    this.#switchCacheOff();
    const script = new vm.Script(head + compiled.body + close + this.#inlineMap(compiled), {
      filename,
      // Positions on the first line are those of the body: breakpoints, stacks and maps need not know of the head.
      columnOffset: -head.length,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    return script.runInThisContext();
  }

  #inlineMap(compiled: CompiledModule): string {
    if (!this.#mapOf) return "";
    const map = Buffer.from(JSON.stringify(this.#mapOf(compiled))).toString("base64");
    return `\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,${map}`;
  }

  /**
   * V8 keeps the text of every script it has compiled in a cache (1.5 KB and more for each reload), unless it is told
   * not to; but then it does not keep regular expressions either, which requests need. So the cache is off until what
   * runs now is over: one evaluation, however many modules. A switch costs 12 us, a quarter of compiling a small module.
   */
  #switchCacheOff(): void {
    if (this.#cacheIsOff) return;
    this.#cacheIsOff = true;
    v8.setFlagsFromString("--no-compilation-cache");
    queueMicrotask(() => {
      this.#cacheIsOff = false;
      v8.setFlagsFromString("--compilation-cache");
    });
  }
}

const COMMONJS_FUNCTION = "function (exports, require, module, __filename, __dirname) ";

function swapsOf({ body }: CompiledModule): string {
  return body.includes(`${TABLE}.`) ? SWAPS : "";
}

/**
 * The prologue, with variables for the namespaces that can be set again: a package is loaded only when its turn comes,
 * and a specifier may lead to another file after a reload. Costs reads nothing measurable (15.4 against 15.0 ns).
 */
function rebindable({ prologue, imports }: CompiledModule): string {
  if (imports.length === 0) return `${prologue} `;
  const assignments = imports.map((_, k) => `__ur${k} = n[${k}];`).join(" ");
  return `__ur.onRebind((n) => { ${assignments} }); ${prologue.replace(/^const (?=__ur0 = )/, "let ")} `;
}
