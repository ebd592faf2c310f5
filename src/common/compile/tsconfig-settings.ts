/** What the compiler takes from a tsconfig.json. Pure: compiler options in, settings out. */

export interface JsxSettings {
  readonly runtime: "automatic" | "classic";
  readonly development: boolean;
  readonly importSource: string | undefined;
  readonly factory: string | undefined;
  readonly fragmentFactory: string | undefined;
}

export interface TypeScriptSettings {
  readonly legacyDecorators: boolean;
  readonly decoratorMetadata: boolean;
  readonly defineClassFields: boolean;
  /** Imports stay unless they are written `import type`. */
  readonly keepsUnusedImports: boolean;
  readonly strictNullChecks: boolean;
  /** Files without import and export syntax run in strict mode too. */
  readonly alwaysStrict: boolean;
  /** How TypeScript with import syntax in a CommonJS package reads CommonJS. */
  readonly interop: "esModule" | "callable";
  /** `import()` stays one where the rest is compiled for CommonJS: `module` is one of Node's. */
  readonly keepsImportCalls: boolean;
  /** JavaScript files belong to the project: they resolve as TypeScript files do. */
  readonly allowsJavaScript: boolean;
  readonly jsx: JsxSettings;
}

/** The options that matter here, as in tsconfig.json. */
export interface TypeScriptOptions {
  readonly target?: string;
  readonly module?: string;
  readonly experimentalDecorators?: boolean;
  readonly emitDecoratorMetadata?: boolean;
  readonly useDefineForClassFields?: boolean;
  readonly verbatimModuleSyntax?: boolean;
  readonly preserveValueImports?: boolean;
  readonly strict?: boolean;
  readonly strictNullChecks?: boolean;
  readonly alwaysStrict?: boolean;
  readonly esModuleInterop?: boolean;
  readonly allowJs?: boolean;
  readonly checkJs?: boolean;
  readonly jsx?: string;
  readonly jsxFactory?: string;
  readonly jsxFragmentFactory?: string;
  readonly jsxImportSource?: string;
}

/**
 * Settings for the given options. Where they are silent TypeScript's defaults hold, which changed with version 6
 * (strict, esModuleInterop, a recent target): `major` is the version installed for the project, undefined if none is.
 */
export function typeScriptSettings(options: TypeScriptOptions, major: number | undefined): TypeScriptSettings {
  const modern = major === undefined || major >= 6;
  const module = options.module?.toLowerCase();
  const nodeModule = module !== undefined && (module.startsWith("node") || module === "preserve");
  const strict = options.strict ?? modern;
  const esModuleInterop = options.esModuleInterop ?? (nodeModule || modern);
  return {
    legacyDecorators: options.experimentalDecorators ?? false,
    decoratorMetadata: options.emitDecoratorMetadata ?? false,
    defineClassFields: options.useDefineForClassFields ?? definesFields(options.target, nodeModule || modern),
    keepsUnusedImports: options.verbatimModuleSyntax ?? options.preserveValueImports ?? false,
    strictNullChecks: options.strictNullChecks ?? strict,
    alwaysStrict: options.alwaysStrict ?? strict,
    interop: esModuleInterop ? "esModule" : "callable",
    keepsImportCalls: module !== undefined && /^node(?:next|\d+)$/.test(module),
    allowsJavaScript: options.allowJs ?? options.checkJs ?? false,
    jsx: jsxSettings(options),
  };
}

/** Class fields are defined, not assigned, from ES2022 on. */
function definesFields(target: string | undefined, recentByDefault: boolean): boolean {
  if (target === undefined) return recentByDefault;
  const name = target.toLowerCase();
  return name === "esnext" || Number(/^es(\d{4})$/.exec(name)?.[1] ?? 0) >= 2022;
}

/** `preserve` leaves JSX to another compiler: here that is the automatic runtime. */
function jsxSettings(options: TypeScriptOptions): JsxSettings {
  const classic = options.jsx === "react" || (options.jsx === undefined && options.jsxFactory !== undefined);
  return {
    runtime: classic ? "classic" : "automatic",
    development: options.jsx === "react-jsxdev",
    importSource: options.jsxImportSource,
    factory: options.jsxFactory,
    fragmentFactory: options.jsxFragmentFactory,
  };
}
