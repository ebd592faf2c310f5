/**
 * An immutable map whose next version costs what changes in it, not what it holds: a large base that versions share, and
 * a small layer on top. (Copying a Map of 2000 paths takes 0.1 to 0.2 ms, of 20,000 3 ms, and a reload makes four versions
 * of three maps.)
 */

/** The layer is merged into a new base when it holds more than this share of the base. */
const LAYER_SHARE = 1 / 16;
const LAYER_MINIMUM = 32;

export class LayeredMap<Value> {
  readonly #base: ReadonlyMap<string, Value>;
  /** Key as in the base; undefined: deleted. */
  readonly #layer: ReadonlyMap<string, Value | undefined>;
  readonly size: number;

  constructor(
    base: ReadonlyMap<string, Value> = new Map(),
    layer: ReadonlyMap<string, Value | undefined> = new Map(),
    size = base.size,
  ) {
    this.#base = base;
    this.#layer = layer;
    this.size = size;
  }

  get(key: string): Value | undefined {
    return this.#layer.has(key) ? this.#layer.get(key) : this.#base.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** The next version; a value of undefined deletes the key. */
  with(changes: ReadonlyMap<string, Value | undefined>): LayeredMap<Value> {
    const layer = new Map(this.#layer);
    let size = this.size;
    for (const [key, value] of changes) {
      size += Number(value !== undefined) - Number(this.has(key));
      layer.set(key, value);
    }
    if (layer.size <= LAYER_MINIMUM + this.#base.size * LAYER_SHARE) return new LayeredMap(this.#base, layer, size);
    const base = new Map(this.#base);
    for (const [key, value] of layer) {
      if (value === undefined) base.delete(key);
      else base.set(key, value);
    }
    return new LayeredMap(base);
  }

  /** Keys whose value is another one in `earlier`, deleted ones included; fast when both have grown from one base. */
  *keysChangedSince(earlier: LayeredMap<Value>): Iterable<string> {
    const keys =
      this.#base === earlier.#base ? [this.#layer.keys(), earlier.#layer.keys()] : [this.keys(), earlier.keys()];
    const changed = new Set<string>();
    for (const some of keys) for (const key of some) if (this.get(key) !== earlier.get(key)) changed.add(key);
    yield* changed;
  }

  *keys(): Iterable<string> {
    for (const key of this.#base.keys()) if (!this.#layer.has(key)) yield key;
    for (const [key, value] of this.#layer) if (value !== undefined) yield key;
  }

  *values(): Iterable<Value> {
    for (const [key, value] of this.#base) if (!this.#layer.has(key)) yield value;
    for (const value of this.#layer.values()) if (value !== undefined) yield value;
  }
}
