const BLOCKS = [...'▁▂▃▄▅▆▇█'];

/** A line of blocks, one a value, from the lowest to the highest (linear: from 0); a space where there is none. */
export function renderSparkline(values: readonly (number | null)[], scale: 'linear' | 'logarithmic'): string {
  const known = values.filter((value) => value !== null).map((value) => measure(value, scale));
  const top = Math.max(...known);
  const bottom = scale === 'linear' ? 0 : Math.min(...known);
  return values
    .map((value) => {
      if (value === null) return ' ';
      const height = top > bottom ? (measure(value, scale) - bottom) / (top - bottom) : 0;
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(height * BLOCKS.length))];
    })
    .join('');
}

function measure(value: number, scale: 'linear' | 'logarithmic'): number {
  return scale === 'linear' ? value : Math.log(Math.max(value, 0.001));
}
