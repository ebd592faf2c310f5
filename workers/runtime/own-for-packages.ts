/**
 * Own files that packages import by their paths (routes, plugins, migrations): the modules of the registry. Who reads
 * meanwhile, an own module that has had the package do so, has used the file.
 */
import type { WrittenEdges } from "../written/written-edges.js";
import type { EsmLoader } from "./esm-loader.js";
import type { Loading } from "./loading.js";
import type { ModuleRecord } from "./module-record.js";
import { NamespaceBridge } from "./namespace-bridge.js";
import type { Observer } from "./observer.js";

export interface OwnForPackagesContext {
  readonly loading: Loading;
  readonly observer: Observer;
  readonly written: WrittenEdges;
  readonly esm: EsmLoader;
}

export class OwnForPackages {
  readonly #context: OwnForPackagesContext;

  constructor(context: OwnForPackagesContext) {
    this.#context = context;
  }

  /** What `import()` in a package gives. */
  async import(record: ModuleRecord): Promise<object> {
    const { observer, written, loading, esm } = this.#context;
    const { reader } = observer;
    reader?.observe(record.file);
    await loading.import(record);
    if (reader) written.read(reader, record.file);
    return esm.namespaceFor(record);
  }

  /** The same for Node's own `import`: evaluates the file as far as that is possible synchronously. */
  bridge(record: ModuleRecord): NamespaceBridge {
    const { observer, written, loading, esm } = this.#context;
    const { reader } = observer;
    reader?.observe(record.file);
    let ready: Promise<unknown> | undefined;
    if (loading.isSynchronous(record)) loading.evaluateSync(record);
    else ready = loading.import(record);
    esm.readAsNode(record);
    if (reader) written.read(reader, record.file);
    // Node would not find the others in the text, either.
    const names = record.namespace.names().filter((name) => !record.namespace.runs(name));
    const known = [...record.bridges].find((bridge) => bridge.names.join() === names.join());
    if (known) return known;
    const bridge = new NamespaceBridge(record.url, names, record.namespace, ready);
    record.bridges.add(bridge);
    return bridge;
  }
}
