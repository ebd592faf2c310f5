/**
 * What options and protocol use of zod; imported as `* as z`. The build bundles this file, and what is not named here is
 * left out: as a package of 90 files zod takes 100 ms of every start, whole as one file 25, and like this 10.
 */
export type { core, infer, input, output, ZodType } from "zod";
export {
  array,
  boolean,
  custom,
  discriminatedUnion,
  enum,
  int,
  lazy,
  literal,
  number,
  record,
  strictObject,
  string,
  union,
  unknown,
  ZodEnum,
} from "zod";
