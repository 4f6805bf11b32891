export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between neighbours, as `numpy.quantile` does by default. NaN for no values. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** Enough digits for a figure, none for noise. */
export function roundFigure(value: number): number {
  return Math.abs(value) < 100 ? Math.round(value * 100) / 100 : Math.round(value * 10) / 10;
}
