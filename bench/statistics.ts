/** What is reported of a list of measurements, in their own unit. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly p95: number;
  readonly least: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    count: sorted.length,
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    least: sorted[0] ?? Number.NaN,
  };
}

/** Between the two nearest ranks, in proportion. */
function quantile(sorted: readonly number[], fraction: number): number {
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}
