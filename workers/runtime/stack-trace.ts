/**
 * Stacks as the user wrote the code: positions in the source files, without the supervisor's frames. Formats lazily (V8
 * asks when `stack` is first read), in Node's own layout.
 */
import { codeFrame } from "../../src/common/compile/code-frame.js";
import type { CompiledModule, PreparedModule } from "../../src/common/compile/compiled-module.js";
import { originalPlace } from "../../src/common/compile/original-place.js";
import type { EncodedSourceMap } from "../../src/common/compile/source-map.js";
import { TraceMap } from "../../src/common/compile/trace-map.js";
import { pathOf } from "../../src/common/file-url.js";
import type { SourceLocation } from "../../src/common/protocol/serialized-error.js";
import { ownKeys, ownValue, prototypesOf } from "../../src/common/untouched.js";
import { findImport } from "./find-import.js";
import { runAsMainScript } from "./main-script.js";
import type { MappedPlace } from "./own-source-maps.js";
import { isSupervisorCode } from "./supervisor-code.js";

export interface StackTraceContext {
  /** The version of the file that is evaluated, or was last. */
  compiled(file: string): CompiledModule | undefined;
  /** A text of the file that bodies of functions were taken from. */
  swapped?(file: string, text: number): CompiledModule | undefined;
  sourceMap(compiled: CompiledModule): EncodedSourceMap;
  /** Of what another tool has compiled, while Node is to follow its maps. */
  originalOf(name: string, line: number, column: number): MappedPlace | undefined;
}

type PrepareStackTrace = NonNullable<typeof Error.prepareStackTrace>;

/** What a body that was swapped is shown under. */
const SWAPPED = /^(.*)\?unreloader-text=(\d+)$/;
/** Where an `eval` stands: `(file:line:column)`. */
const EVAL_ORIGIN = /\(((?:file:\/\/)?\/[^()]*):(\d+):(\d+)\)/g;

/** An error that lasts has no more causes that are told. */
const NOTED_CAUSES = 5;

interface Located {
  readonly location?: SourceLocation | undefined;
  readonly frame?: string | undefined;
}

export class StackTraces {
  readonly #context: StackTraceContext;
  /** Of compiled code whose positions were asked for; dies with the version. */
  readonly #maps = new WeakMap<CompiledModule, TraceMap>();
  readonly #locations = new WeakMap<object, SourceLocation>();
  readonly #files = new WeakMap<object, string>();
  readonly #noted = new WeakMap<object, Located>();

  constructor(context: StackTraceContext) {
    this.#context = context;
  }

  /** The app may set its own `Error.prepareStackTrace` over it. */
  install(): () => void {
    const before = Error.prepareStackTrace;
    const prepare: PrepareStackTrace = (error, frames) => this.#format(error, frames);
    Error.prepareStackTrace = prepare;
    return () => {
      if (Error.prepareStackTrace === prepare) Error.prepareStackTrace = before;
    };
  }

  threwIn(error: unknown, file: string): void {
    if (typeof error === "object" && error !== null && !this.#files.has(error)) this.#files.set(error, file);
  }

  fileOf(error: unknown): string | undefined {
    return typeof error === "object" && error !== null ? this.#files.get(error) : undefined;
  }

  /** Notes that the error is in this import; gives it back. */
  linkFailed(error: SyntaxError, importer: PreparedModule, specifier: string, name: string): SyntaxError {
    const { file, source } = importer.compiled;
    this.#files.set(error, file);
    this.#locations.set(error, { file, ...findImport(source, specifier, name) });
    return error;
  }

  /** What is about to be rolled back is looked up now: afterwards its files have another text. */
  noteThrown(error: unknown): void {
    let thrown = error;
    for (let depth = 0; typeof thrown === "object" && thrown !== null && depth < NOTED_CAUSES; depth++) {
      this.#noted.set(thrown, this.#locateIfItLets(thrown));
      thrown = ownValue(thrown, "cause");
    }
  }

  /** A getter or a trap of the app may throw in its turn. */
  #locateIfItLets(error: object): Located {
    try {
      return this.locate(error);
    } catch {
      return {};
    }
  }

  locate(error: unknown): Located {
    if (typeof error !== "object" || error === null) return {};
    const noted = this.#noted.get(error);
    if (noted !== undefined) return noted;
    const location = givenLocation(error) ?? this.#locationOf(error);
    if (!location) return {};
    const given: unknown = Reflect.get(error, "frame");
    if (typeof given === "string") return { location, frame: given };
    const source = this.#context.compiled(location.file)?.source;
    return { location, frame: source === undefined ? undefined : codeFrame(source, location) };
  }

  #locationOf(error: object): SourceLocation | undefined {
    // Reading the stack formats it, and formatting notes the location.
    const stack: unknown = Reflect.get(error, "stack");
    return this.#locations.get(error) ?? (typeof stack === "string" ? this.#syntaxErrorLocation(stack) : undefined);
  }

  /** V8's own syntax errors begin with `file:line`, then the line, then a row of carets. */
  #syntaxErrorLocation(stack: string): SourceLocation | undefined {
    const [first = "", , carets = ""] = stack.split("\n");
    const [, name = "", line] = /^(.+):(\d+)$/.exec(first) ?? [];
    const file = pathOf(name);
    if (line === undefined || !this.#context.compiled(file)) return undefined;
    return this.#map(file, Number(line), Math.max(1, carets.indexOf("^") + 1));
  }

  #format(error: Error, frames: NodeJS.CallSite[]): string {
    const lines: string[] = [];
    /** Frames of Node that the supervisor has called: dropped if one of its own frames comes next. */
    let between: string[] = [];
    /** The last frame is a body that was swapped: the function whose it is comes behind our own frame. */
    let swapped: "seen" | "called" | undefined;
    for (const frame of frames) {
      const body = this.#swappedBody(error, frame);
      if (body !== undefined) {
        lines.push(...between, `\n    at ${body}`);
        between = [];
        swapped = "seen";
        continue;
      }
      const name = frame.getFileName() ?? frame.getEvalOrigin() ?? "";
      if (isSupervisorCode(name)) {
        between = [];
        // From there on Node has called the supervisor.
        if (frame.getFunctionName() === runAsMainScript.name) break;
        if (swapped) swapped = "called";
        continue;
      }
      if (isBuiltin(frame, name) && swapped) continue;
      const isItself = swapped === "called";
      swapped = undefined;
      if (isItself) continue;
      if (isGlue(frame, name)) {
        between.push(`\n    at ${String(frame)}`);
        continue;
      }
      lines.push(...between, `\n    at ${this.#describe(error, frame, name)}`);
      between = [];
    }
    return `${header(error)}${lines.join("")}${between.join("")}`;
  }

  #swappedBody(error: Error, frame: NodeJS.CallSite): string | undefined {
    if (!frame.isEval()) return undefined;
    const [place, name = "", number] = SWAPPED.exec(frame.getScriptNameOrSourceURL() as string) ?? [];
    if (place === undefined) return undefined;
    const compiled = this.#context.swapped?.(pathOf(name), Number(number));
    const line = frame.getLineNumber() ?? 1;
    const column = frame.getColumnNumber() ?? 1;
    const location = compiled ? this.#mapIn(compiled, line, column) : { file: pathOf(name), line, column };
    if (!this.#locations.has(error)) this.#locations.set(error, location);
    return String(frame).replace(`${place}:${line}:${column}`, `${name}:${location.line}:${location.column}`);
  }

  #describe(error: Error, frame: NodeJS.CallSite, name: string): string {
    const text = String(frame);
    if (frame.isEval()) return text.replace(EVAL_ORIGIN, (place, ...parts) => this.#evalOrigin(place, parts));
    const file = pathOf(name);
    const line = frame.getLineNumber() ?? 1;
    if (!this.#context.compiled(file))
      return this.#ofOtherTools(frame, name, line, frame.getColumnNumber() ?? 1) ?? text;
    // None for a place before the body, of which V8's text has a negative column: that of the module's function, which a
    // class's static initialisers are called from.
    const column = frame.getColumnNumber() ?? 1;
    const location = this.#map(file, line, column);
    if (!this.#locations.has(error)) this.#locations.set(error, location);
    const original = this.#ofOtherTools(frame, name, location.line, location.column);
    if (original !== undefined) return original;
    const start = text.lastIndexOf(`${name}:${line}:`);
    if (start === -1) return text;
    const place = text.slice(start + name.length).replace(/^:\d+:-?\d+/, `:${location.line}:${location.column}`);
    return text.slice(0, start + name.length) + place;
  }

  /** As lib/internal/source_map/prepare_stack_trace.js shows a frame. */
  #ofOtherTools(frame: NodeJS.CallSite, name: string, line: number, column: number): string | undefined {
    const place = this.#context.originalOf(name, line, column);
    if (place === undefined) return undefined;
    const type = frame.getTypeName();
    const owner = type === null || type === "global" ? "" : `${type}.`;
    const prefix = frame.isAsync() ? "async " : frame.isConstructor() ? "new " : "";
    const called = frame.getFunctionName() ?? frame.getMethodName() ?? "<anonymous>";
    return `${prefix}${frame.isConstructor() ? "" : owner}${called} (${place.file}:${place.line}:${place.column})`;
  }

  #evalOrigin(place: string, [name, line, column]: readonly unknown[]): string {
    const file = pathOf(String(name));
    if (!this.#context.compiled(file)) return place;
    const location = this.#map(file, Number(line), Number(column));
    return `(${String(name)}:${location.line}:${location.column})`;
  }

  #map(file: string, line: number, column: number): SourceLocation {
    const compiled = this.#context.compiled(file);
    return compiled ? this.#mapIn(compiled, line, column) : { file, line, column };
  }

  #mapIn(compiled: CompiledModule, line: number, column: number): SourceLocation {
    const { file } = compiled;
    return { file, ...originalPlace(compiled, { line, column }, () => this.#mapOf(compiled)) };
  }

  #mapOf(compiled: CompiledModule): TraceMap {
    let map = this.#maps.get(compiled);
    if (!map) {
      map = new TraceMap(this.#context.sourceMap(compiled) as never);
      this.#maps.set(compiled, map);
    }
    return map;
  }
}

/** Of the language itself: `Reflect.apply`. */
function isBuiltin(frame: NodeJS.CallSite, name: string): boolean {
  return name === "" && frame.isNative();
}

/** Frames that stand between the user's module and the supervisor's code. */
function isGlue(frame: NodeJS.CallSite, name: string): boolean {
  if (name.startsWith("node:internal/async_local_storage") || name === "node:async_hooks" || name === "node:vm")
    return true;
  if (name !== "") return false;
  return /^(?:(?:Async)?Generator|Object)?\.?next$/.test(frame.getFunctionName() ?? "");
}

/** Node puts the code of its own errors, which it marks with a private symbol, into the first line. */
function header(error: Error): string {
  try {
    if ("code" in error && isNodesOwn(error)) return `${error.name} [${String(error.code)}]: ${error.message}`;
    return Error.prototype.toString.call(error);
  } catch (thrown) {
    return `<error: ${String(thrown)}>`;
  }
}

function isNodesOwn(error: Error): boolean {
  return [error, ...prototypesOf(error)].some((object) =>
    ownKeys(object).some((key) => typeof key === "symbol" && key.description === "kIsNodeError"),
  );
}

function givenLocation(error: object): SourceLocation | undefined {
  const location: unknown = Reflect.get(error, "location");
  if (typeof location !== "object" || location === null) return undefined;
  const { file, line, column } = location as Partial<SourceLocation>;
  return typeof file === "string" && typeof line === "number" && typeof column === "number"
    ? { file, line, column }
    : undefined;
}
