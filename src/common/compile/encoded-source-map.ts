/** A source map as JSON has it (version 3), with encoded mappings: positions of generated text to positions of sources. */
export interface EncodedSourceMap {
  readonly version: 3;
  readonly file?: string;
  readonly names: string[];
  readonly sources: (string | null)[];
  readonly sourcesContent?: (string | null)[];
  readonly mappings: string;
}
