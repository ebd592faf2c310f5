/** Text that is HTML already, as opposed to text that visitors wrote. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | Markup | readonly Value[];

/** Template tag: what is put in is escaped, unless it is markup itself. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(parts.map((part, index) => part + written(values[index] ?? "")).join(""));
}

function written(value: Value): string {
  if (typeof value === "string") return escaped(value);
  return value instanceof Markup ? value.text : value.map(written).join("");
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
