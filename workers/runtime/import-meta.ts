/** `import.meta` of one module. */
import path from "node:path";
import type { Resolution } from "../../src/common/compile/compiled-module.js";
import { urlOf } from "./native-modules.js";

export interface ImportMetaContext {
  readonly file: string;
  readonly url: string;
  readonly isEntry: boolean;
  resolve(specifier: string): Resolution;
  /** `import.meta.hot`; absent: there is none. */
  readonly hot?: (() => object) | undefined;
}

export function createImportMeta(context: ImportMetaContext): ImportMeta {
  const meta: ImportMeta = Object.assign(Object.create(null), {
    dirname: path.dirname(context.file),
    filename: context.file,
    ...(HAS_MAIN && { main: context.isEntry }),
    resolve: (specifier: unknown) => resolveUrl(String(specifier), context),
    url: context.url,
  });
  const { hot } = context;
  // Made when it is asked for, which most modules never do.
  if (hot) Object.defineProperty(meta, "hot", { configurable: true, enumerable: true, get: hot });
  return meta;
}

/** As Node: a path need not exist, a package has to. */
function resolveUrl(specifier: string, { url, resolve }: ImportMetaContext): string {
  try {
    return urlOf(resolve(specifier));
  } catch (error) {
    if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, url).href;
    if (URL.canParse(specifier)) return new URL(specifier).href;
    throw error;
  }
}

/** From Node 22.18 and 24.2 on. */
const HAS_MAIN = "main" in import.meta;
