/**
 * How deep the brackets of a text are nested. The parser and the transformer, which are native code, know no limit: beyond
 * the stack of their thread they end the whole process. (In a thread, with 4 MB: 1700 classes within each other, 2500 arrays.)
 */

/** Nobody writes more, and what Node runs of more is generated. */
const MOST = 1000;

/** What has brackets that are none, and brackets. Those in templates and regular expressions are taken for brackets. */
const TOKEN = /\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|[([{]|[)\]}]/g;

/** Offset of the first bracket that is nested too deep; undefined when none is. */
export function tooDeepAt(text: string): number | undefined {
  // A first look is cheap, and nearly all texts need no other.
  return isDeep(text) ? firstDeep(text) : undefined;
}

function isDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x28 || code === 0x5b || code === 0x7b) {
      if (++depth > MOST) return true;
    } else if ((code === 0x29 || code === 0x5d || code === 0x7d) && depth > 0) depth--;
  }
  return false;
}

function firstDeep(text: string): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token.length > 1) continue;
    if (!"([{".includes(token)) depth = Math.max(0, depth - 1);
    else if (++depth > MOST) return index;
  }
  return undefined;
}
