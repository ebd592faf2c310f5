/** Reading source maps: the one door to the library that does it. */
export { decodedMappings, encodedMappings, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
