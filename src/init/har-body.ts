import type { HarEntry } from './har-schema.ts';
import { hasSecretValue, isSecret, maskJson, PLACEHOLDER } from './secrets.ts';

type PostData = NonNullable<HarEntry['request']['postData']>;

export type KeptBody = { readonly comments: readonly string[] } & (
  | { readonly body: string }
  | { readonly form: Readonly<Record<string, string>> }
  | object
);

/** What is longer is for a file of its own. */
export const MAX_CHARACTERS = 4096;

/** A small text without its secrets; of all else a comment that says what is missing. */
export function keepBody({ postData, bodySize = 0 }: HarEntry['request']): KeptBody {
  const { mimeType = '', text = '', params = [] } = postData ?? {};
  if (text === '' && params.length === 0)
    return bodySize > 0 ? leftOut('a body that was not recorded') : { comments: [] };
  if (/^multipart\//i.test(mimeType)) return leftOut(`a body of ${mimeType.split(';')[0]}: write it as form`);
  if (text.length > MAX_CHARACTERS)
    return leftOut(`a body of ${text.length} characters: put it into a file (bodyFile)`);
  if (/^application\/x-www-form-urlencoded/i.test(mimeType)) return keepForm(text, params);
  if (text.includes('{{')) return leftOut('a body with {{…}}, which would be filled in: put it into a file (bodyFile)');
  return /[/+]json\b/i.test(mimeType) || /^\s*[[{]/.test(text) ? keepJson(text) : keepText(text, mimeType);
}

function leftOut(what: string): KeptBody {
  return { comments: [`left out: ${what}`] };
}

function keepForm(text: string, params: NonNullable<PostData['params']>): KeptBody {
  const pairs =
    text === '' ? params.map(({ name, value = '' }) => [name, value] as const) : [...new URLSearchParams(text)];
  const names = pairs.map(([name]) => name);
  if (new Set(names).size < names.length) return leftOut('a form that has a field twice: write it as body');
  if (pairs.some(([, value]) => value.includes('{{')))
    return leftOut('a form with {{…}}, which would be filled in: put it into a file (bodyFile)');
  const masked = pairs.filter(([name, value]) => value !== '' && isSecret(name, value)).map(([name]) => name);
  const form = Object.fromEntries(
    pairs.map(([name, value]) => [name, masked.includes(name) ? PLACEHOLDER : value] as const),
  );
  return { form, comments: masked.map(sayMasked) };
}

/** Written anew only where something had to go: numbers stay as they were sent. */
function keepJson(text: string): KeptBody {
  try {
    const { value, masked } = maskJson(JSON.parse(text));
    return { body: masked.length === 0 ? text : JSON.stringify(value), comments: masked.map(sayMasked) };
  } catch {
    return keepText(text, 'application/json');
  }
}

function keepText(text: string, mimeType: string): KeptBody {
  const isSuspect =
    hasSecretValue(text) || /\b(?:pass(?:word|wd)?|secret|token|api[-_]?key)\b["'>\s]*[:=>]/i.test(text);
  if (isSuspect) return leftOut(`a body of ${mimeType.split(';')[0] || 'no known type'} that may hold a secret`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell what is no text
  return /[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text)
    ? leftOut('a binary body: put it into a file (bodyFile)')
    : { body: text, comments: [] };
}

function sayMasked(name: string): string {
  return `${name} was a secret: replace ${PLACEHOLDER} by a synthetic one`;
}
