/** Source maps, made only when somebody asks: compiling without them is several times as fast. */
import { SourceMap } from "node:module";
import remapping from "@jridgewell/remapping";
import MagicString from "magic-string";
import type { TextPosition } from "./code-frame.js";
import type { TextEdits } from "./text-edits.js";
import { decodedMappings, encodedMappings, TraceMap } from "./trace-map.js";

/** A source map as JSON has it (version 3), with encoded mappings: positions of generated text to positions of sources. */
export interface EncodedSourceMap {
  readonly version: 3;
  readonly file?: string;
  readonly names: string[];
  readonly sources: (string | null)[];
  readonly sourcesContent?: (string | null)[];
  readonly mappings: string;
}

export interface MapRequest {
  /** URL of the file, as it shall stand in the map. */
  readonly url: string;
  readonly source: string;
  /** Maps of the steps before the edits, latest first. */
  readonly steps: readonly EncodedSourceMap[];
  /** Text that the edits were made in. */
  readonly text: string;
  readonly edits: TextEdits;
  /** What stands before the edited text, without line breaks. */
  readonly prefix: string;
}

/** Map from positions in `prefix` + edited text to positions in the source. */
export function makeSourceMap(request: MapRequest): EncodedSourceMap {
  const edited = new MagicString(request.text);
  for (const { start, end, text } of request.edits.sorted()) {
    if (start === end) edited.appendRight(start, text);
    else edited.update(start, end, text);
  }
  edited.prepend(request.prefix);
  const last = edited.generateMap({ source: request.url, hires: "boundary" });
  const { names, mappings } = remapping(
    [{ ...last, version: 3, file: undefined }, ...request.steps.map((step) => ({ ...step, file: undefined }))] as never,
    () => null,
  );
  if (typeof mappings !== "string") throw new TypeError("remapping gave decoded mappings");
  return { version: 3, names, sources: [request.url], sourcesContent: [request.source], mappings };
}

/** The place in the source that `position`, in the generated text, comes from; the nearest one before it if need be. */
export function traceBack(position: TextPosition, map: EncodedSourceMap): TextPosition {
  const entry = new SourceMap({ file: "", sourceRoot: "", sourcesContent: [], ...map } as never).findEntry(
    position.line - 1,
    position.column - 1,
  );
  return "originalLine" in entry ? { line: entry.originalLine + 1, column: entry.originalColumn + 1 } : position;
}

/**
 * Keeps the last of several mappings of one place. oxc-transform 0.151 maps a field first to its decorator or modifier and
 * then to its name, and what stood in parentheses first to the parenthesis; readers of maps take the first they find.
 */
export function keepLastMappings(map: EncodedSourceMap): EncodedSourceMap {
  const { names, sources } = map;
  const lines = decodedMappings(new TraceMap({ version: 3, names, sources, mappings: map.mappings }));
  const mappings = lines.map((segments) => segments.filter(([column], index) => column !== segments[index + 1]?.[0]));
  return { ...map, mappings: encodedMappings(new TraceMap({ version: 3, names, sources, mappings })) };
}
