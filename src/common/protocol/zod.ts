/**
 * What options and protocol use of zod; imported as `* as z`. The build bundles this file, and what is not named here is
 * left out. It is the small zod: schemas with methods of their own take three times as long to make, at every start.
 */
export type { core, infer, input, output, ZodMiniType as ZodType } from "zod/mini";
export {
  array,
  boolean,
  custom,
  discriminatedUnion,
  enum,
  int,
  lazy,
  literal,
  maximum,
  minimum,
  minLength,
  nullable,
  number,
  optional,
  partial,
  pipe,
  record,
  refine,
  strictObject,
  string,
  transform,
  union,
  unknown,
  ZodMiniEnum,
} from "zod/mini";
