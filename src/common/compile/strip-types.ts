/** TypeScript and JSX to JavaScript. The only file that knows the transformer. */
import { type TransformOptions, transformSync } from "oxc-transform";
import { decoratorFunctionsText } from "./decorator-functions.js";
import type { Language } from "./file-kind.js";
import { type EncodedSourceMap, keepLastMappings } from "./source-map.js";
import { asProblem, type ParseGoal, SyntaxProblem } from "./syntax-tree.js";
import type { JsxSettings, TypeScriptSettings } from "./tsconfig-settings.js";

/** A text made from another. */
export interface Derived {
  readonly text: string;
  /** Made only when asked for. */
  readonly map: EncodedSourceMap | undefined;
  /** Declarations that the text needs before it, on one line. */
  readonly declarations: string;
}

export interface StripRequest {
  readonly file: string;
  readonly text: string;
  readonly language: Language;
  readonly goal: ParseGoal;
  readonly settings: TypeScriptSettings;
  readonly withMap: boolean;
}

/**
 * Strips types and compiles what TypeScript adds (enums, namespaces, parameter properties, legacy decorators) and JSX;
 * newer JavaScript is left alone. Gives a SyntaxProblem (offset in the given text) when it cannot.
 */
export function stripTypes(request: StripRequest): Derived | SyntaxProblem {
  const { settings, language, goal, withMap } = request;
  const options: TransformOptions = {
    lang: language,
    sourceType: goal,
    target: "esnext",
    sourcemap: withMap,
    helpers: { mode: "External" as NonNullable<NonNullable<TransformOptions["helpers"]>["mode"]> },
    jsx: jsxOptions(settings.jsx),
    typescript: {
      onlyRemoveTypeImports: settings.keepsUnusedImports,
      removeClassFieldsWithoutInitializer: !settings.defineClassFields,
      ...(settings.jsx.factory !== undefined && { jsxPragma: settings.jsx.factory }),
      ...(settings.jsx.fragmentFactory !== undefined && { jsxPragmaFrag: settings.jsx.fragmentFactory }),
    },
    assumptions: { setPublicClassFields: !settings.defineClassFields },
    decorator: {
      legacy: settings.legacyDecorators,
      emitDecoratorMetadata: settings.legacyDecorators && settings.decoratorMetadata,
      strictNullChecks: settings.strictNullChecks,
    },
  };
  const { code, map, errors, helpersUsed } = transformSync(request.file, request.text, options);
  if (errors.length > 0) {
    const { message, offset } = asProblem(errors);
    // Unlike the parser, the transformer counts in bytes of UTF-8.
    return new SyntaxProblem(message, Buffer.from(request.text).subarray(0, offset).toString().length);
  }
  return {
    text: code,
    map: map && keepLastMappings({ ...map, version: 3 }),
    declarations: Object.keys(helpersUsed).length > 0 ? decoratorFunctionsText : "",
  };
}

function jsxOptions(jsx: JsxSettings): NonNullable<TransformOptions["jsx"]> {
  if (jsx.runtime === "classic") {
    return {
      runtime: "classic",
      ...(jsx.factory !== undefined && { pragma: jsx.factory }),
      ...(jsx.fragmentFactory !== undefined && { pragmaFrag: jsx.fragmentFactory }),
    };
  }
  return {
    runtime: "automatic",
    development: jsx.development,
    ...(jsx.importSource !== undefined && { importSource: jsx.importSource }),
  };
}
