/** {{name}} in texts that are sent: a value that an earlier step has captured, or one of these. */
export const BUILT_IN_NAMES = ['n', 'user', 'random'] as const;

/** By name; what was captured from JSON keeps its type. */
export type Values = Readonly<Record<string, unknown>>;

const PATTERN = /\{\{\s*([A-Za-z_]\w*)\s*\}\}/g;

export function isTemplateName(name: string): boolean {
  return /^[A-Za-z_]\w*$/.test(name);
}

/** Of every text in `value`, however deep; keys of objects are no texts. */
export function findNames(value: unknown): readonly string[] {
  if (typeof value === 'string') return [...value.matchAll(PATTERN)].map((match) => match[1] ?? '');
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(findNames);
}

export function fillText(text: string, values: Values): string {
  return text.replaceAll(PATTERN, (_, name: string) => renderValue(look(values, name)));
}

/** A text that is a template and nothing else becomes the value itself: `{"id": "{{id}}"}` with 17 is `{"id": 17}`. */
export function fillJson(value: unknown, values: Values): unknown {
  if (typeof value === 'string') {
    const only = /^\{\{\s*([A-Za-z_]\w*)\s*\}\}$/.exec(value)?.[1];
    return only === undefined ? fillText(value, values) : look(values, only);
  }
  if (Array.isArray(value)) return value.map((item) => fillJson(item, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillJson(item, values)]));
}

function look(values: Values, name: string): unknown {
  if (!Object.hasOwn(values, name)) throw new Error(`{{${name}}} has no value`);
  return values[name];
}

function renderValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
