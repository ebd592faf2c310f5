/**
 * What proxies stand for. Their traps are the app's code, and the inspector, which shows targets as well, reads properties
 * of them (`length`, an error's message). So V8 is asked, by a function of its own that is no part of the language: it is
 * there while it is compiled. (Node 20, 22, 24; 80 ns.)
 */
import { setFlagsFromString } from "node:v8";
import { compileFunction } from "node:vm";
import { isObject, isProxy } from "./untouched.js";

type TargetOf = (proxy: unknown) => unknown;

/** V8 throws compiled code away that was not run for some collections (measured: 20 to 26), and parses its text again. */
class ProxyTargets {
  #targetOf = compileTargetOf();

  of(proxy: unknown): unknown {
    try {
      return this.#targetOf(proxy);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#targetOf = compileTargetOf();
      return this.#targetOf(proxy);
    }
  }
}

const targets = new ProxyTargets();

/**
 * The object behind a proxy, and behind that if it is one, too; `value` itself when it is none. Undefined: it is revoked,
 * or V8 does not tell.
 */
export function withoutProxies<T extends object>(value: T): T | undefined {
  let at: unknown = value;
  while (isProxy(at)) at = targets.of(at);
  return isObject(at) ? (at as T) : undefined;
}

function compileTargetOf(): TargetOf {
  try {
    // The process may have been started with the flag, which must stay then.
    return compile();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  setFlagsFromString("--allow-natives-syntax");
  try {
    return compile();
  } catch (error) {
    // A version of V8 without it: what is behind proxies is not known.
    if (error instanceof SyntaxError || error instanceof ReferenceError) return () => undefined;
    throw error;
  } finally {
    setFlagsFromString("--no-allow-natives-syntax");
  }
}

function compile(): TargetOf {
  const compiled = compileFunction("return %JSProxyGetTarget(proxy);", ["proxy"]) as TargetOf;
  // V8 compiles a function when it is called first.
  compiled(new Proxy({}, {}));
  return compiled;
}
