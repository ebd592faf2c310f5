/** One version of one CommonJS or JSON file. */
import type { PreparedModule } from "../../src/common/compile/compiled-module.js";
import type { ModuleRecord, PrivateBindings } from "./module-record.js";
import type { ModuleEdges } from "./observer.js";

export class CommonJsModule {
  readonly kind = "commonjs";
  readonly record: ModuleRecord;
  prepared: PreparedModule;
  readonly edges: ModuleEdges;
  /** `__ur` of the body: as long as any function of the module is alive, so is this (see `Scripts`). */
  scope: object | undefined;
  /** Undefined before the end of the body was reached (one that returns early never does), and when there are none. */
  privateBindings: PrivateBindings | undefined;
  state: "evaluating" | "evaluated" = "evaluating";

  constructor(record: ModuleRecord, prepared: PreparedModule, edges: ModuleEdges) {
    this.record = record;
    this.prepared = prepared;
    this.edges = edges;
  }
}
