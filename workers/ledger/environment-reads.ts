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
    handler.get = (target, key) => {
      read(String(key));
      return Reflect.get(target, key);
    };
    handler.has = (target, key) => {
      read(String(key));
      return Reflect.has(target, key);
    };
    handler.ownKeys = (target) => {
      read("*");
      return Reflect.ownKeys(target);
    };
    handler.getOwnPropertyDescriptor = (target, key) => {
      read(String(key));
      return Reflect.getOwnPropertyDescriptor(target, key);
    };
    return () => {
      for (const trap of ["get", "has", "ownKeys", "getOwnPropertyDescriptor"] as const) delete handler[trap];
    };
  }
}
