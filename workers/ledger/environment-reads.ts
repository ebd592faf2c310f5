/** Which variables of the environment are read, while somebody wants to know: else, reading costs what it does in Node. */
export class EnvironmentReads {
  #handler: ProxyHandler<NodeJS.ProcessEnv> | undefined;

  /** `handler`: of the proxy that stands for `process.env`. */
  attach(handler: ProxyHandler<NodeJS.ProcessEnv>): void {
    this.#handler = handler;
  }

  /** Tells of every read until the returned function is called; `*`: of all variables. */
  watch(read: (name: string) => void): () => void {
    const handler = this.#handler;
    if (!handler) return () => {};
    const unwatched = { ...handler };
    const { has = Reflect.has, ownKeys = Reflect.ownKeys } = unwatched;
    const { get = Reflect.get, getOwnPropertyDescriptor = Reflect.getOwnPropertyDescriptor } = unwatched;
    handler.get = (target, key) => {
      read(String(key));
      return get(target, key, target);
    };
    handler.has = (target, key) => {
      read(String(key));
      return has(target, key);
    };
    handler.ownKeys = (target) => {
      read("*");
      return ownKeys(target);
    };
    handler.getOwnPropertyDescriptor = (target, key) => {
      read(String(key));
      return getOwnPropertyDescriptor(target, key);
    };
    return () => {
      for (const trap of ["get", "has", "ownKeys", "getOwnPropertyDescriptor"] as const) delete handler[trap];
      Object.assign(handler, unwatched);
    };
  }
}
