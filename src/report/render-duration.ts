/** Milliseconds for people: "850 µs", "9.6 ms", "212 ms", "4.3 s", "2 m 05 s". */
export function renderDuration(durationMs: number): string {
  if (durationMs > 0 && durationMs < 0.9995) return `${Math.round(durationMs * 1000)} µs`;
  if (durationMs < 99.95) return `${durationMs.toFixed(1)} ms`;
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
}
