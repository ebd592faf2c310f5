/** Which variables of the environment are read, while somebody wants to know: else, reading costs what it does in Node. */
const TRAPS = ["get", "has", "ownKeys", "getOwnPropertyDescriptor"] as const;

export class EnvironmentReads {
  #handler: ProxyHandler<NodeJS.ProcessEnv> | undefined;
  /** Without traps for reading that are only there while somebody wants to know. */
  #unwatched: ProxyHandler<NodeJS.ProcessEnv> = {};
  readonly #watches = new Set<(name: string) => void>();
  /** Tells the module that is evaluated of what it reads. */
  #attribute: ((name: string) => void) | undefined;
  #endAttributing: (() => void) | undefined;

  /** `handler`: of the proxy that stands for `process.env`. */
  attach(handler: ProxyHandler<NodeJS.ProcessEnv>): void {
    this.#handler = handler;
    this.#unwatched = { ...handler };
  }

  attribute(read: (name: string) => void): void {
    this.#attribute = read;
  }

  /** Modules are evaluated from here on. */
  begin(): void {
    if (this.#attribute) this.#endAttributing ??= this.watch(this.#attribute);
  }

  /** None is. */
  end(): void {
    this.#endAttributing?.();
    this.#endAttributing = undefined;
  }

  /** Tells of every read until the returned function is called; `*`: of all variables. */
  watch(read: (name: string) => void): () => void {
    const handler = this.#handler;
    if (!handler) return () => {};
    // Each call is another watch.
    const watch = (name: string): void => read(name);
    if (this.#watches.size === 0) this.#trap(handler);
    this.#watches.add(watch);
    return () => {
      if (!this.#watches.delete(watch) || this.#watches.size > 0) return;
      for (const trap of TRAPS) delete handler[trap];
      Object.assign(handler, this.#unwatched);
    };
  }

  #trap(handler: ProxyHandler<NodeJS.ProcessEnv>): void {
    const { has = Reflect.has, ownKeys = Reflect.ownKeys } = this.#unwatched;
    const { get = Reflect.get, getOwnPropertyDescriptor = Reflect.getOwnPropertyDescriptor } = this.#unwatched;
    const tell = (name: string): void => {
      for (const watch of this.#watches) watch(name);
    };
    handler.get = (target, key) => {
      tell(String(key));
      return get(target, key, target);
    };
    handler.has = (target, key) => {
      tell(String(key));
      return has(target, key);
    };
    handler.ownKeys = (target) => {
      tell("*");
      return ownKeys(target);
    };
    handler.getOwnPropertyDescriptor = (target, key) => {
      tell(String(key));
      return getOwnPropertyDescriptor(target, key);
    };
  }
}
