/**
 * Types of `import.meta.hot` and `module.hot`, for apps: `/// <reference types="unreloader/hot" />`, or
 * `"types": ["unreloader/hot"]` in tsconfig.json. Those who have Vite's or webpack's own (`vite/client`, `webpack/module`)
 * need no others.
 */
import type { ImportMetaHot, ModuleHot } from "../common/protocol/hot-api.js";

export type * from "../common/protocol/hot-api.js";

declare global {
  interface ImportMeta {
    /** Undefined when no supervisor runs the app. */
    readonly hot?: ImportMetaHot;
  }
  namespace NodeJS {
    interface Module {
      /** Undefined when no supervisor runs the app. */
      hot?: ModuleHot;
    }
  }
}
