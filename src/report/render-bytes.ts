const UNITS = ['B', 'kB', 'MB', 'GB'] as const;

/** Decimal, as registries and image tools show sizes: "812 B", "19.4 MB". */
export function renderBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
