/** The names that Node finds in a text of CommonJS, before it is evaluated. The only file that knows the lexer, which is Node's own. */
import { initSync, parse } from "cjs-module-lexer";

export interface LexedNames {
  readonly exports: readonly string[];
  /** Specifiers of what all exports are passed on of. */
  readonly reexports: readonly string[];
}

/** Undefined: it cannot be read. */
export function lexCommonJs(text: string): LexedNames | undefined {
  // Does nothing the second time.
  initSync();
  try {
    const { exports, reexports } = parse(text);
    return { exports: [...exports], reexports: [...reexports] };
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
