/** Puts compiled code together and hands it to V8, under the name that Node would give the file. */
import v8 from "node:v8";
import vm from "node:vm";
import type { CompiledModule, PreparedModule } from "../../src/compile/compiled-module.js";
import type { BodyForm } from "./esm-module.js";

const FUNCTION_OF_FORM: Readonly<Record<BodyForm, string>> = {
  plain: "function",
  resumable: "function*",
  async: "async function*",
};

/** Compiles an `esm` module. The result takes `__ur`, or the CommonJS names first when the module has interop. */
export function compileEsm({ compiled }: PreparedModule, url: string, form: BodyForm): unknown {
  const body = `${FUNCTION_OF_FORM[form]} (__ur) { 'use strict'; `;
  const open = compiled.interop === "none" ? `(${body}` : `(${COMMONJS_FUNCTION}{ return (${body}`;
  const close = compiled.interop === "none" ? "\n})" : "\n}); })";
  // A generator stops here only if it has something to wait for, so that bodies start in the order of the specification.
  const dependencies = form === "plain" ? "__ur.dependencies(); " : "if (__ur.dependencies()) yield; ";
  return compile(open + rebindable(compiled) + dependencies, compiled, close, url);
}

/** Compiles a `commonjs` module: `(exports, require, module, __filename, __dirname, __ur)`. */
export function compileCommonJs({ compiled }: PreparedModule): unknown {
  return compile(
    "(function (exports, require, module, __filename, __dirname, __ur) { ",
    compiled,
    "\n})",
    compiled.file,
  );
}

const COMMONJS_FUNCTION = "function (exports, require, module, __filename, __dirname) ";

/**
 * The prologue, with variables for the namespaces that can be set again: a package is loaded only when its turn comes,
 * and a specifier may lead to another file after a reload. Costs reads nothing measurable (15.4 against 15.0 ns).
 */
function rebindable({ prologue, imports }: CompiledModule): string {
  if (imports.length === 0) return `${prologue} `;
  const assignments = imports.map((_, k) => `__ur${k} = n[${k}];`).join(" ");
  return `__ur.onRebind((n) => { ${assignments} }); ${prologue.replace(/^const (?=__ur0 = )/, "let ")} `;
}

/**
 * V8 keeps the text of every script it has compiled in a cache. The flag is switched only around the compilation, since it
 * switches off the cache of regular expressions as well.
 */
function compile(head: string, compiled: CompiledModule, close: string, filename: string): unknown {
  v8.setFlagsFromString("--no-compilation-cache");
  try {
    const script = new vm.Script(head + compiled.body + close, {
      filename,
      // Positions on the first line are those of the body: breakpoints, stacks and maps need not know of the head.
      columnOffset: -head.length,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    return script.runInThisContext();
  } finally {
    v8.setFlagsFromString("--compilation-cache");
  }
}
