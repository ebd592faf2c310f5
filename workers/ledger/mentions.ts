/** Whether a module's text names what another one has changed for all: what it has used of that at its evaluation is not known. */

/** A global: `globalThis.flag`, or `flag` where the module declares no such name. */
export function mentionsGlobal(text: string, name: string): boolean {
  if (!text.includes(name)) return false;
  const word = escaped(name);
  if (new RegExp(String.raw`\b(?:globalThis|global)\b[\s\S]{0,40}?\b${word}\b|["'\`]${word}["'\`]`).test(text))
    return true;
  if (!new RegExp(String.raw`(?<![\w$.#"'\`/-]|\?\.)${word}(?![\w$"'\`/:-])`).test(text)) return false;
  return !new RegExp(String.raw`\b(?:const|let|var|function\*?|class|import)\s+(?:[\w$,\s{}*]*[\s,{])?${word}\b`).test(
    text,
  );
}

/** A property of `owner`, if that has a name: `Math.random`, `const { random } = Math`. */
export function mentionsProperty(text: string, owner: string | undefined, key: PropertyKey): boolean {
  const name = typeof key === "symbol" ? (key.description ?? "").replace(/^Symbol\./, "") : String(key);
  return hasWord(text, name) && (owner === undefined || hasWord(text, owner));
}

function hasWord(text: string, word: string): boolean {
  return text.includes(word) && new RegExp(String.raw`(?<![\w$])${escaped(word)}(?![\w$])`).test(text);
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
