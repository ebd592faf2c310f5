/** Node's hooks for `import` where they run in a thread of their own (before 22.15). */
import { type ImportContext, OwnFiles, type OwnFilesOptions, urlOf, withJsonType } from "./own-files.js";

export type HooksThreadInput = OwnFilesOptions;

interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}
interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: boolean;
}

// Node calls these functions by their names, and gives each thread one instance of this file.
let own: OwnFiles | undefined;

export function initialize(input: HooksThreadInput): void {
  own = new OwnFiles(input);
}

export async function resolve(
  specifier: string,
  context: ImportContext,
  next: (specifier: string, context: ImportContext) => Promise<Resolved>,
): Promise<Resolved> {
  const importer = own?.importer(specifier, context.parentURL);
  if (own === undefined || importer === undefined) return next(specifier, context);
  const find = (): Resolved | undefined => {
    const file = own?.find(specifier, importer, "import");
    return file === undefined ? undefined : { url: urlOf(file), shortCircuit: true };
  };
  if (own.compiledFile(context.parentURL) !== undefined)
    return withJsonType(find() ?? (await next(specifier, context)), context);
  try {
    return await next(specifier, context);
  } catch (error) {
    const other = find();
    if (other === undefined) throw error;
    return other;
  }
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  const file = own?.compiledFile(url);
  if (own === undefined || file === undefined) return next(url, context);
  return { format: "module", source: own.importedText(file), shortCircuit: true };
}
