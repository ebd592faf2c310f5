/** `process.mainModule`, from which Node takes the `require.main` that packages see (they look for the app's folder there). */
import type Module from "node:module";

/** Lets it give the entry's `module`, if the entry is CommonJS; the returned function puts back what was there. */
export function installMainModule(mainModule: () => Module | undefined): () => void {
  const before = Object.getOwnPropertyDescriptor(process, "mainModule");
  Object.defineProperty(process, "mainModule", { configurable: true, enumerable: true, get: mainModule });
  return () => {
    if (before) Object.defineProperty(process, "mainModule", before);
    else Reflect.deleteProperty(process, "mainModule");
  };
}
