/** What `index.ts` loads: all that the package exports but types. */

export { UnreloaderError } from "./common/errors.js";
export { createSupervisor } from "./create-supervisor.js";
export { defineConfig } from "./options/define-config.js";
