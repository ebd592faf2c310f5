/**
 * The steps from a file's text to the text that is rewritten: byte order mark off, types stripped, newest syntax
 * lowered; and the decision between ES module and CommonJS, where it takes the text to decide.
 */

import { isBelowPackages } from "../paths.js";
import { writeOutTypes } from "./decorator-types.js";
import { type EvaluationEffects, evaluationEffects } from "./evaluation-effects.js";
import type { FileKind } from "./file-kind.js";
import { hasUsing, lowerSyntax } from "./lower-syntax.js";
import { tooDeepAt } from "./nesting-depth.js";
import type { Rewritten } from "./rewrite.js";
import { redeclaredWrapperName, rewriteCommonJs } from "./rewrite-commonjs.js";
import { rewriteEsm } from "./rewrite-esm.js";
import { type EncodedSourceMap, makeSourceMap } from "./source-map.js";
import { type Derived, stripTypes } from "./strip-types.js";
import { type ParsedText, type ParseGoal, parse, parses, SyntaxProblem } from "./syntax-tree.js";
import type { TypeScriptSettings } from "./tsconfig-settings.js";

export interface DeriveRequest {
  readonly file: string;
  /** Without byte order mark. */
  readonly source: string;
  readonly kind: FileKind & { type: "code" };
  readonly settings: TypeScriptSettings;
  readonly withMaps: boolean;
  /** Functions get cells; see cells.ts. */
  readonly cells: boolean;
}

/** A text on its way, with the maps of the steps that led to it, latest first. */
export interface DerivedText {
  readonly text: string;
  readonly steps: number;
  readonly maps: readonly EncodedSourceMap[];
  readonly declarations: string;
}

export interface Derivation extends DerivedText {
  readonly format: "esm" | "commonjs";
  readonly interop: boolean;
  readonly rewritten: Rewritten;
  readonly effects: EvaluationEffects;
}

/** A problem with its offset in a text that is not the source (`at.steps` > 0), or is (0). */
export class DerivedProblem extends Error {
  readonly problem: SyntaxProblem;
  readonly at: DerivedText;
  constructor(problem: SyntaxProblem, at: DerivedText) {
    super(problem.message, { cause: problem });
    this.problem = problem;
    this.at = at;
  }
}

/** Throws DerivedProblem. */
export function derive(request: DeriveRequest): Derivation {
  const source: DerivedText = { text: request.source, steps: 0, maps: [], declarations: "" };
  const deep = tooDeepAt(request.source);
  if (deep !== undefined) throw new DerivedProblem(new SyntaxProblem(TOO_DEEP, deep), source);
  try {
    if (request.kind.language === "js") {
      return lowered(request, source, rewrite(request, source, goalOfJavaScript(request, source)));
    }
    return lowered(request, source, rewriteTypeScript(request, source));
  } catch (error) {
    // The stack was too small for the tree.
    if (error instanceof RangeError) throw new DerivedProblem(new SyntaxProblem(TOO_DEEP, 0), source);
    throw error;
  }
}

const TOO_DEEP = "This is nested too deep to be compiled";

function rewriteTypeScript(request: DeriveRequest, given: DerivedText): Derivation {
  const source = needsMetadata(request) ? withWrittenTypes(request, given) : given;
  const { legacyDecorators, defineClassFields } = request.settings;
  // Where fields are assigned, the fast transformer moves them into the constructor, and loses their standard decorators.
  if (!legacyDecorators && !defineClassFields && source.text.includes("@")) {
    const defining = { ...request, settings: { ...request.settings, defineClassFields: true } };
    const found = rewrite(defining, ...stripped(defining, source));
    if (found.rewritten.lowered.has("decorator")) return found;
  }
  const [after, goal] = stripped(request, source);
  try {
    return rewrite(request, after, goal);
  } catch (error) {
    // It also moves legacy decorators out of the class, where a private name means nothing.
    if (!(error instanceof DerivedProblem) || !legacyDecorators || needsMetadata(request)) throw error;
    const strip = { ...request, text: source.text, language: request.kind.language, goal: "module" } as const;
    const derived = lowerSyntax({ ...strip, withMap: request.withMaps });
    if (!derived || derived instanceof SyntaxProblem) throw error;
    const other = next(source, derived);
    return rewrite(request, other, goal === "module" ? goal : goalOfCompiled(other));
  }
}

/** Only the fast transformer writes the types of what is decorated. */
function needsMetadata({ settings, source }: DeriveRequest): boolean {
  return settings.legacyDecorators && settings.decoratorMetadata && source.includes("@");
}

/** With the types that the metadata needs written out. */
function withWrittenTypes({ settings, kind, file, withMaps }: DeriveRequest, source: DerivedText): DerivedText {
  const { text } = source;
  const language = kind.language === "tsx" ? "tsx" : "ts";
  const edits = writeOutTypes(text, { language, strictNullChecks: settings.strictNullChecks });
  if (!edits) return source;
  const map = withMaps ? makeSourceMap({ url: file, source: text, steps: [], text, edits, prefix: "" }) : undefined;
  return next(source, { text: edits.applyTo(text), map, declarations: "" });
}

/** Goes back over what the rewrite found out to contain syntax that this Node, or any, does not run. */
function lowered(request: DeriveRequest, source: DerivedText, first: Derivation): Derivation {
  const { rewritten, format } = first;
  const goal = format === "esm" ? "module" : "commonjs";
  const { language } = request.kind;
  const accessor = rewritten.lowered.get("accessor");
  const { legacyDecorators } = request.settings;
  const decorator = rewritten.lowered.get("decorator") ?? (legacyDecorators ? undefined : accessor);
  if (decorator !== undefined) {
    const strip = { ...request, text: source.text, language, goal, withMap: request.withMaps } as const;
    if (language === "js" && legacyDecorators)
      return loweredScript(request, rewrite(request, next(source, stripTypes(strip)), goal));
    const syntax = rewritten.lowered.has("decorator") ? "decorators" : "`accessor`";
    const derived = lowerSyntax(strip) ?? withoutEsbuild(syntax, decorator);
    // Nothing was lowered: the place is one of the text in which the decorator was found.
    return rewrite(request, next(derived instanceof MissingEsbuild ? first : source, derived), goal);
  }
  return loweredScript(request, first);
}

/** The same for what is left when types and decorators have gone. */
function loweredScript(request: DeriveRequest, first: Derivation): Derivation {
  const { lowered: found } = first.rewritten;
  const using = hasUsing ? undefined : found.get("using");
  const offset = using ?? found.get("accessor");
  if (offset === undefined) return first;
  const goal = first.format === "esm" ? "module" : "commonjs";
  const strip = { ...request, text: first.text, language: "js", goal, withMap: request.withMaps } as const;
  const syntax = using === undefined ? "`accessor`" : "`using` before Node 24";
  return rewrite(request, next(first, lowerSyntax(strip) ?? withoutEsbuild(syntax, offset)), goal);
}

class MissingEsbuild extends SyntaxProblem {}

function withoutEsbuild(syntax: string, offset: number): MissingEsbuild {
  return new MissingEsbuild(`${syntax} must be compiled by esbuild, which is not installed: npm i -D esbuild`, offset);
}

function next(before: DerivedText, derived: Derived | SyntaxProblem): DerivedText {
  if (derived instanceof SyntaxProblem) throw new DerivedProblem(derived, before);
  return {
    text: derived.text,
    steps: before.steps + 1,
    maps: derived.map ? [derived.map, ...before.maps] : before.maps,
    declarations: before.declarations + derived.declarations,
  };
}

/** Types off; `module` unless the text only parses as CommonJS. */
function stripped(request: DeriveRequest, source: DerivedText): [DerivedText, ParseGoal | ParsedText] {
  const { kind, file } = request;
  const strip = { ...request, text: source.text, language: kind.language, withMap: request.withMaps } as const;
  const derived =
    (mergesBlocks(request) && lowerSyntax({ ...strip, goal: "module" })) || stripTypes({ ...strip, goal: "module" });
  if (!(derived instanceof SyntaxProblem)) {
    const after = next(source, derived);
    return [after, kind.format === "esm" ? "module" : goalOfCompiled(after)];
  }
  if (kind.format !== "esm") {
    // `return` at the top, `await` as a name, ...: only where there is no import or export syntax.
    const asCommonJs = stripTypes({ ...strip, goal: "commonjs" });
    if (!(asCommonJs instanceof SyntaxProblem) && !parse(asCommonJs.text, "commonjs").hasModuleSyntax) {
      return [next(source, asCommonJs), "commonjs"];
    }
  }
  // What parses has met a limit of the fast transformer, or one of its checks, which esbuild makes as well.
  if (!parses(file, source.text, "module")) throw new DerivedProblem(derived, source);
  const isLimit = derived.message.includes("not supported");
  const missing = isLimit ? withoutEsbuild("a namespace that exports variables", derived.offset) : derived;
  const after = next(source, lowerSyntax({ ...strip, goal: "module" }) ?? missing);
  return [after, kind.format === "esm" ? "module" : goalOfCompiled(after)];
}

const block = /(?<!\bdeclare\s+)\b(?:namespace|module|enum)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/gu;

/** Two blocks of one namespace or enum: the second sees the names of the first, which the fast transformer does not know. */
function mergesBlocks(request: DeriveRequest): boolean {
  const names = Array.from(request.source.matchAll(block), ([, name]) => name);
  return new Set(names).size < names.length && !needsMetadata(request);
}

const maybeModuleSyntax = /\b(?:import|export|await)\b/;
const surelyModuleSyntax = /^(?:import\b\s*["'{*\w$]|export\b)/m;

/** The transformer leaves `export {}` where only types were imported or exported: TypeScript calls that a module too. */
function goalOfCompiled(after: DerivedText): ParseGoal | ParsedText {
  if (!maybeModuleSyntax.test(after.text)) return "commonjs";
  const asModule = parse(after.text, "module");
  if (asModule.hasModuleSyntax) return asModule;
  const asCommonJs = parse(after.text, "commonjs");
  return asCommonJs.problem && !asModule.problem ? asModule : asCommonJs;
}

/** Node's syntax detection: CommonJS unless the text only makes sense as a module. */
function goalOfJavaScript(request: DeriveRequest, source: DerivedText): ParseGoal | ParsedText {
  const { format } = request.kind;
  if (format !== "detect") return format === "esm" ? "module" : "commonjs";
  const { text } = source;
  if (surelyModuleSyntax.test(text)) {
    const asModule = parse(text, "module");
    if (asModule.hasModuleSyntax && !asModule.problem) return asModule;
  }
  const asCommonJs = parse(text, "commonjs");
  if (asCommonJs.problem) {
    const asModule = parse(text, "module");
    // With import or export syntax the errors to show are the module's.
    if (!asModule.problem || asCommonJs.hasModuleSyntax) return asModule;
    return asCommonJs;
  }
  if (redeclaredWrapperName(asCommonJs.program)) {
    const asModule = parse(text, "module");
    if (!asModule.problem) return asModule;
  }
  return asCommonJs;
}

function rewrite(request: DeriveRequest, derived: DerivedText, goal: ParseGoal | ParsedText): Derivation {
  const parsed = typeof goal === "string" ? parse(derived.text, goal) : goal;
  const interop = parsed.goal === "module" && request.kind.interop;
  try {
    if (parsed.problem) throw parsed.problem;
    const effects = evaluationEffects(parsed.program, derived.text);
    if (parsed.goal === "commonjs") {
      const redeclared = redeclaredWrapperName(parsed.program);
      if (redeclared) throw redeclared;
      const rewritten = rewriteCommonJs(derived.text, parsed.program, {
        own: !isBelowPackages(request.file),
        cells: request.cells,
      });
      return { ...derived, rewritten, format: "commonjs", interop: false, effects };
    }
    const importsByRequire = !interop && usesImportRequire(request, derived);
    const rewritten = rewriteEsm(derived.text, parsed.program, {
      commonJsNames: interop || importsByRequire,
      cells: request.cells && !isBelowPackages(request.file),
    });
    const declarations = importsByRequire ? `${createRequireText} ${derived.declarations}` : derived.declarations;
    return { ...derived, declarations, rewritten, format: "esm", interop, effects };
  } catch (error) {
    if (error instanceof SyntaxProblem) throw new DerivedProblem(error, derived);
    throw error;
  }
}

/** Not by an import of node:module: PROLOGUE runs before the dependencies do. */
const createRequireText =
  'const require = globalThis.process.getBuiltinModule("node:module").createRequire(__ur.meta.url);';

/**
 * True for a TypeScript ES module with `import x = require("y")`: the transformer leaves a bare `require`, and tsc would
 * make one from import.meta.url. `export =` has no such reading and is refused.
 */
function usesImportRequire(request: DeriveRequest, derived: DerivedText): boolean {
  const { language } = request.kind;
  if (language !== "ts" && language !== "tsx") return false;
  if (derived.text.includes("module.exports =")) {
    const found = /^[ \t]*export[ \t]*=(?!=)/m.exec(request.source);
    if (found) {
      const problem = new SyntaxProblem(
        "`export =` cannot be used in an ES module: write `export default`",
        found.index + found[0].indexOf("export"),
      );
      throw new DerivedProblem(problem, { text: request.source, steps: 0, maps: [], declarations: "" });
    }
  }
  return (
    derived.text.includes("require(") &&
    /\bimport\s+[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=\s*require\s*\(/u.test(request.source)
  );
}
