/** Segments that name one of many things: numbers, UUIDs, long hexadecimal, ULIDs, dates, and what has digits and is long. */
const NAMES_ONE =
  /^(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{12,}|[0-9A-HJKMNP-TV-Z]{26}|\d{4}-\d\d-\d\d|(?=[\w-]*\d)[\w-]{20,}|[A-Z]{1,5}-?\d{2,})$/i;

/** "/orders/17/items?page=2&size=10" → "/orders/*‌/items?page&size": requests that run the same code have the same. */
export function foldPath(path: string): string {
  const [plain = '', query] = path.split('?', 2);
  const folded = plain
    .split('/')
    .map((segment) => (NAMES_ONE.test(segment) ? '*' : segment))
    .join('/');
  const names = new Set((query ?? '').split('&').map((pair) => pair.split('=', 1)[0] ?? ''));
  names.delete('');
  return names.size === 0 ? folded : `${folded}?${[...names].sort().join('&')}`;
}
