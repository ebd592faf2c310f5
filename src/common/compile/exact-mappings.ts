/** Puts the map of the type stripper right where it maps one place twice. */

import type { EncodedSourceMap } from "./encoded-source-map.js";
import { decodedMappings, encodedMappings, TraceMap } from "./trace-map.js";

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
