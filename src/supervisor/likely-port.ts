/**
 * Where an app that has failed before it listened would most probably have done so, as its own texts say: that is where
 * people look for the failure. Pure.
 */

/** `.listen(8080`, `.listen({ port: 8080`, `serve({ fetch, port: 8080`, `process.env.PORT ?? 8080`. */
const NUMBERS = [
  /\.listen\(\s*(?:\{[^{}]*?\bport:\s*)?(\d{2,5})\b/,
  /\bserve\(\s*\{[^{}]*?\bport:\s*(\d{2,5})\b/,
  /\bPORT\b["'\])]*\s*(?:\?\?|\|\||,)\s*["']?(\d{2,5})\b/,
];
const LISTENS = /\.listen\(|\bserve\(/;
const MOST_PORT = 65535;

/** 0: it listens, and who knows where. Undefined: nothing in it listens, so it may export an app. */
export function likelyPort(texts: Iterable<string>): number | undefined {
  let listens = false;
  for (const text of texts) {
    if (!listens && LISTENS.test(text)) listens = true;
    for (const pattern of NUMBERS) {
      const port = Number(pattern.exec(text)?.[1] ?? Number.NaN);
      if (port <= MOST_PORT) return port;
    }
  }
  return listens ? 0 : undefined;
}
