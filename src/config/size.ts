const UNITS_BYTES = { kB: 1e3, MB: 1e6, GB: 1e9 } as const;

/** "500kB", "100MB", "1.5 GB" → bytes, decimal as in all that is printed; undefined where the text is no size. A bare number is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(kB|MB|GB)$/i.exec(text.trim());
  const unit = Object.entries(UNITS_BYTES).find(([name]) => name.toLowerCase() === match?.[2]?.toLowerCase());
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit[1]);
}
