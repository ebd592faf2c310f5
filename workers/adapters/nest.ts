/** Nest (8 to 12): an application is closed with the file that created it: its modules close their connections then. */
import type { Adapter } from "../../src/common/protocol/adapter.js";
import { closeOpened } from "./patterns.js";

const application = {
  what: "Nest application",
  close: (app: { close(): Promise<void> }) => app.close(),
};

export default {
  name: "nest",
  packages: ["@nestjs/core"],
  attach({ exports }, context) {
    for (const method of ["create", "createMicroservice", "createApplicationContext"]) {
      closeOpened(exports.NestFactory, method, application, context);
    }
    return undefined;
  },
} satisfies Adapter;
