/** Which texts are names in JavaScript, and how other texts are written where a name could stand. */

/** Tried first: most names are ASCII, and the other pattern is slow. */
const plainName = /^[\w$]+$/;
const identifierName = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

export function isName(text: string): boolean {
  const first = text.charCodeAt(0);
  return plainName.test(text) ? first < 48 || first > 57 : identifierName.test(text);
}

/** A key for an object literal; computed for the one name that would set the prototype instead. */
export function propertyKey(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return isName(name) ? name : JSON.stringify(name);
}
