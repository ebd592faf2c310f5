/** Values of `#private` fields, through the readers that the compiler has put into own classes. */

import { prototypeOf } from "../../src/common/untouched.js";
import type { ClassTable } from "../classes/class-table.js";
import { constructorOf } from "./slots.js";

/** Those of an instance, base classes included, or the static ones of a class; undefined when there are none. */
export function privateFields(table: ClassTable, value: object): readonly unknown[] | undefined {
  if (typeof value === "function") return table.find(value)?.reader?.(value);
  let fields: unknown[] | undefined;
  for (let made: unknown = constructorOf(value); typeof made === "function"; made = prototypeOf(made)) {
    const reader = table.find(made)?.reader;
    if (reader) fields = [...(fields ?? []), ...reader(value)];
  }
  return fields;
}
