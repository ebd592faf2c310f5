/**
 * The scopes of functions, and what promises were fulfilled with, which only the inspector shows. A session of the thread with itself answers at once; it is open
 * for as long as one look takes, in which no code of the app runs: an open session would have Node keep what is logged,
 * and all it refers to.
 */
import { Session } from "node:inspector";
import { types } from "node:util";
import {
  findDescriptor,
  inheritsFromProxy,
  isObject,
  isProxy,
  ownDescriptor,
  ownKeys,
} from "../../src/common/untouched.js";

const HANDOVER = Symbol.for("unreloader.scopes");
const HANDED_OVER = `globalThis[Symbol.for("unreloader.scopes")]`;

/** What stands for a value in the inspector's answers. */
interface Remote {
  readonly type: string;
  readonly objectId?: string;
}

interface Property {
  readonly name: string;
  readonly value?: Remote;
}

interface Properties {
  readonly result: readonly Property[];
  readonly internalProperties?: readonly Property[];
}

/** A list of the scopes of each function, in the same order; undefined when they cannot be had. */
export function scopesOf(functions: readonly object[]): unknown[] {
  return internalsOf(functions, "[[Scopes]]");
}

/** What each promise was fulfilled or rejected with, in the same order; undefined for one that is pending, and for primitives. */
export function resultsOf(promises: readonly object[]): unknown[] {
  return internalsOf(promises, "[[PromiseResult]]");
}

function internalsOf(wanted: readonly object[], name: string): unknown[] {
  const found: unknown[] = wanted.map(() => undefined);
  const objects = wanted.filter(mayBeShown);
  if (objects.length === 0) return found;
  const take = (indexes: readonly number[], internals: readonly unknown[]): void => {
    for (const [k, index] of indexes.entries()) found[wanted.indexOf(objects[index] as object)] = internals[k];
  };
  // An app may have closed globalThis to new properties.
  if (!Reflect.defineProperty(globalThis, HANDOVER, { value: { objects, take }, configurable: true })) return found;
  const session = new Session();
  session.connect();
  try {
    askFor(session, name);
  } finally {
    session.disconnect();
    Reflect.deleteProperty(globalThis, HANDOVER);
  }
  return found;
}

/**
 * The inspector describes each value that a function has as a property, and for that it reads some of its properties: those
 * of an error, the `length` of what looks like an array, keys of what it inherits from. Of a function that holds such a thing nothing is asked.
 */
function mayBeShown(made: object): boolean {
  if (inheritsFromProxy(made)) return false;
  return ownKeys(made).every((key) => {
    const value: unknown = ownDescriptor(made, key)?.value;
    if (!isObject(value) || typeof value === "function" || isProxy(value) || Array.isArray(value)) return true;
    if (types.isNativeError(value)) return false;
    return findDescriptor(value, "splice") === undefined && !inheritsFromProxy(value);
  });
}

/** Has what all objects have under this name handed over. */
function askFor(session: Session, internal: string): void {
  const expression = `${HANDED_OVER}.objects`;
  const { result: list } = ask<{ result: Remote }>(session, "Runtime.evaluate", { expression });
  const indexes: number[] = [];
  const lists: Remote[] = [];
  for (const { name, value } of propertiesOf(session, list).result) {
    if (value?.objectId === undefined) continue;
    const { internalProperties } = propertiesOf(session, value);
    const found = internalProperties?.find((property) => property.name === internal)?.value;
    if (found?.objectId === undefined) continue;
    indexes.push(Number(name));
    lists.push(found);
  }
  // One call for all: a debugger that is attached hears of each one.
  ask(session, "Runtime.callFunctionOn", {
    objectId: list.objectId,
    functionDeclaration: `function (...lists) { ${HANDED_OVER}.take(${JSON.stringify(indexes)}, lists); }`,
    arguments: lists.map(({ objectId }) => ({ objectId })),
  });
}

function propertiesOf(session: Session, { objectId }: Remote): Properties {
  return ask(session, "Runtime.getProperties", { objectId, ownProperties: true });
}

/** A session with the own thread answers before `post` returns. */
function ask<Answer>(session: Session, method: string, parameters: object): Answer {
  let answer: object | undefined;
  session.post(method, parameters, (error, result) => {
    if (error) throw new Error(`${method}: ${error.message}`);
    answer = result;
  });
  if (answer === undefined) throw new Error(`${method} was not answered at once`);
  return answer as Answer;
}
