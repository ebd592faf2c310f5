/** For editors: completion and checks while a configuration is written. */
import type { ConfigOptions } from "./config-options.js";

/** What a configuration file exports by default. */
export type Config = ConfigOptions | (() => ConfigOptions | Promise<ConfigOptions>);

/** Gives back what it is given: `export default defineConfig({ entry: "src/app.ts" })`. */
export function defineConfig<T extends Config>(config: T): T {
  return config;
}
