/** What packages and Node have handed to own modules: theirs, not the app's state. */

export class ForeignObjects {
  /** Exports that have been handed over and not been looked at. */
  #pending: object[] = [];
  readonly #known = new WeakSet<object>();
  /** Classes and functions of packages that an adapter looks after. */
  readonly #adapted = new WeakSet<object>();

  /** The exports of a package or of a builtin, as `require` or `import` gave them. `isAdapted`: by an adapter. */
  add(exports: unknown, isAdapted = false): void {
    if (!isObject(exports) || this.#known.has(exports)) return;
    this.#pending.push(exports);
    if (!isAdapted) return;
    for (const one of [exports, ...membersOf(exports)]) if (typeof one === "function") this.#adapted.add(one);
  }

  /** Whether a class is one of a package that an adapter looks after, or descends from one. */
  isAdapted(made: object): boolean {
    for (let at: unknown = made; typeof at === "function"; at = Object.getPrototypeOf(at)) {
      if (this.#adapted.has(at)) return true;
    }
    return false;
  }

  /** Whether `value` is such an export, whole or one of its members. */
  has(value: object): boolean {
    if (this.#pending.length > 0) this.#expand();
    return this.#known.has(value);
  }

  #expand(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const exports of pending) {
      if (this.#known.has(exports)) continue;
      this.#known.add(exports);
      const members = membersOf(exports);
      for (const member of members) this.#known.add(member);
      const whole: unknown = Object.getOwnPropertyDescriptor(exports, "default")?.value;
      if (isObject(whole)) for (const member of membersOf(whole)) this.#known.add(member);
    }
  }
}

function membersOf(exports: object): object[] {
  const members: object[] = [];
  for (const name of Reflect.ownKeys(exports)) {
    const value = readValue(exports, name);
    if (isObject(value)) members.push(value);
  }
  return members;
}

/** Without asking accessors; an export that is not initialised yet has none. */
function readValue(exports: object, name: PropertyKey): unknown {
  try {
    return Object.getOwnPropertyDescriptor(exports, name)?.value;
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
