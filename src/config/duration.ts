const UNITS_MS = { ms: 1, s: 1000, m: 60_000 } as const;

/** "500ms", "30s", "1.5s", "2m" → milliseconds; undefined where the text is no duration. A bare number has no unit and is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m)$/.exec(text.trim());
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS]);
}
