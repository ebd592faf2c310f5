/**
 * Names of files, messages and stacks are anybody's. What a terminal or a reader would obey in them, and not show, is
 * written out: the C0 and C1 controls with all that they begin (colours, titles, links), line separators, and what turns the
 * direction of writing round.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OBEYED = /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line: all but the tab, which source frames have. */
export function visibleText(text: string): string {
  return text.replace(OBEYED, written);
}

/** Several lines, which may end as on Windows. */
export function visibleLines(text: string): string {
  return text.split(/\r?\n/).map(visibleText).join("\n");
}

/** The text of a JSON value: means the same as before. */
export function visibleJson(json: string): string {
  return json.replace(OBEYED, (control) => `\\u${hex(control, 4)}`);
}

function written(control: string): string {
  return control.charCodeAt(0) > 0xff ? `\\u${hex(control, 4)}` : `\\x${hex(control, 2)}`;
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, "0");
}
