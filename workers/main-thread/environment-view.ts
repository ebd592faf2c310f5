/**
 * `process.env` of a thread that shares the environment of the process. While the thread has the process, this is the real
 * one: native code sees what is set, V8 learns of `TZ`, and what native code sets is seen. Before that (a thread made ahead)
 * and after it (an old thread that ends what it has begun) it is a copy: the epoch that has the process then sees none of it.
 */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { OWNER } from "../../src/common/protocol/process-words.js";

type Variables = Readonly<Record<string, string | undefined>>;

/** Is looked at once in a process, when the pool of threads for files, DNS and cryptography starts. */
const POOL_SIZE = "UV_THREADPOOL_SIZE";

export interface EnvironmentViewOptions {
  /** Those that the process was started with. */
  readonly variables: Variables;
  /** See process-words.ts. */
  readonly words: SharedArrayBuffer;
  /** The app sets a variable at which nobody looks any more. */
  onTooLate(name: string, value: string): void;
}

/** What a proxy is made of. */
export interface EnvironmentTraps {
  readonly target: NodeJS.ProcessEnv;
  readonly handler: ProxyHandler<NodeJS.ProcessEnv>;
}

export class EnvironmentView {
  readonly #real: NodeJS.ProcessEnv;
  readonly #copy: NodeJS.ProcessEnv;
  readonly #words: Int32Array;
  /** Which of the epochs this thread is, once it has begun. */
  #epoch: number | undefined;

  readonly #onTooLate: EnvironmentViewOptions["onTooLate"];
  #poolSize: string | undefined;

  constructor(real: NodeJS.ProcessEnv, { variables, words, onTooLate }: EnvironmentViewOptions) {
    this.#real = real;
    this.#poolSize = variables[POOL_SIZE];
    this.#onTooLate = onTooLate;
    this.#copy = Object.assign(Object.create(Object.getPrototypeOf(real) as object | null), variables);
    this.#words = new Int32Array(words);
  }

  /** The app of this thread begins: the process is its from now on, with the variables that it has here. */
  begin(epoch: number): void {
    this.#epoch = epoch;
    const wanted = { ...this.#copy };
    for (const name of Object.keys(this.#real)) if (!Object.hasOwn(wanted, name)) delete this.#real[name];
    for (const [name, value] of Object.entries(wanted)) if (this.#real[name] !== value) this.#real[name] = value;
    // An earlier app may have changed the zone: V8 keeps what it has looked up, for each thread.
    const { TZ } = wanted;
    this.#real.TZ = TZ ?? "UTC";
    if (TZ === undefined) delete this.#real.TZ;
    this.#checkPoolSize();
  }

  /**
   * What stands for `process.env`: a proxy of this. The copy has all that is set here, and is what is shown when the proxy is
   * printed. (The engine looks at the target after each trap, which takes long for the real one.)
   */
  get traps(): EnvironmentTraps {
    return { target: this.#copy, handler: this.#handler() };
  }

  #handler(): ProxyHandler<NodeJS.ProcessEnv> {
    const real = this.#real;
    const reading = <Result>(read: (variables: NodeJS.ProcessEnv) => Result): Result => {
      if (this.#isReal) {
        const result = read(real);
        // Another thread may have got the process meanwhile.
        if (this.#isReal) return result;
      }
      return read(this.#copy);
    };
    return {
      // The same as the others, by hand: code of frameworks reads variables in every request. `Reflect.get` takes longer.
      get: (copy, key) => {
        if (this.#isReal) {
          const value: unknown = real[key as string];
          if (this.#isReal) return value;
        }
        return copy[key as string];
      },
      has: (_, key) => reading((variables) => Reflect.has(variables, key)),
      ownKeys: () => reading((variables) => Reflect.ownKeys(variables)),
      getOwnPropertyDescriptor: (_, key) => reading((variables) => Reflect.getOwnPropertyDescriptor(variables, key)),
      set: (_, key, value) => this.#set(key, () => Reflect.set(real, key, value), value),
      defineProperty: (_, key, descriptor) =>
        this.#set(key, () => Reflect.defineProperty(real, key, descriptor), descriptor.value),
      // Nor does Node's own let itself be closed: what the thread has as its copy stays open.
      preventExtensions: () => {
        throw new TypeError("Cannot prevent extensions");
      },
      deleteProperty: (_, key) =>
        Reflect.deleteProperty(this.#copy, key) && (!this.#isReal || Reflect.deleteProperty(real, key)),
    };
  }

  /** `process.loadEnvFile`: sets variables that are not set. `load`: Node's own, into the real environment. */
  loadFile(load: () => void, file = ".env"): void {
    if (this.#isReal) {
      load();
      for (const name of Object.keys(this.#real)) this.#copy[name] ??= this.#real[name];
      this.#checkPoolSize();
      return;
    }
    const variables = parseEnv(readFileSync(file, "utf8"));
    for (const [name, value] of Object.entries(variables)) this.#copy[name] ??= value;
  }

  /** The supervisor's main thread has begun to use the pool before. */
  #checkPoolSize(): void {
    const { [POOL_SIZE]: size } = this.#copy;
    if (size === undefined || size === this.#poolSize) return;
    this.#poolSize = size;
    this.#onTooLate(POOL_SIZE, size);
  }

  get #isReal(): boolean {
    return Atomics.load(this.#words, OWNER) === this.#epoch;
  }

  #set(key: PropertyKey, setReal: () => boolean, value: unknown): boolean {
    if (this.#isReal) {
      if (!setReal()) return false;
      // As Node has written it down.
      if (typeof key === "string") this.#copy[key] = this.#real[key];
      if (key === POOL_SIZE) this.#checkPoolSize();
      return true;
    }
    if (typeof key === "symbol" || typeof value === "symbol") {
      throw new TypeError("Cannot convert a Symbol value to a string");
    }
    this.#copy[String(key)] = `${value}`;
    return true;
  }
}
