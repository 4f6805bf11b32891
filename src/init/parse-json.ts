/** Where a text stops being JSON, and what would have gone on there. Lines and columns count from 1. */
export interface JsonError {
  readonly line: number;
  readonly column: number;
  readonly expected: string;
}

export type ParsedJson = { readonly value: unknown } | { readonly error: JsonError };

/** As JSON.parse, whose own messages do not always tell the place. */
export function parseJson(text: string): ParsedJson {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { error: findJsonError(text) };
  }
}

const SPACE = /[ \t\n\r]*/y;
/** https://www.rfc-editor.org/rfc/rfc8259; a text and a number each in one piece. */
const SCALAR =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a text in JSON must not have
  /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|true|false|null/y;

/** Each state says what may come next; the stack holds the brackets that are open. */
function findJsonError(text: string): JsonError {
  const open: ('{' | '[')[] = [];
  let offset = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0];
  };
  const skip = (length: number) => {
    offset += length;
    offset += match(SPACE)?.length ?? 0;
  };
  let state: 'value' | 'first item' | 'first key' | 'key' | 'colon' | 'next' = 'value';
  skip(0);
  for (;;) {
    const next = text[offset];
    if (state === 'next' && open.length === 0) return place(text, offset, 'nothing more');
    if ((state === 'value' || state === 'first item') && (next === '{' || next === '[')) {
      open.push(next);
      state = next === '{' ? 'first key' : 'first item';
      skip(1);
    } else if (
      (state === 'first item' && next === ']') ||
      (state === 'first key' && next === '}') ||
      (state === 'next' && next === (open.at(-1) === '{' ? '}' : ']'))
    ) {
      open.pop();
      state = 'next';
      skip(1);
    } else if (state === 'next' && next === ',') {
      state = open.at(-1) === '{' ? 'key' : 'value';
      skip(1);
    } else if (state === 'colon' && next === ':') {
      state = 'value';
      skip(1);
    } else {
      const isKey: boolean = state === 'key' || state === 'first key';
      const scalar = state === 'colon' || state === 'next' ? undefined : match(SCALAR);
      if (scalar === undefined || (isKey && !scalar.startsWith('"'))) break;
      state = isKey ? 'colon' : 'next';
      skip(scalar.length);
    }
  }
  /** A text that has no end, or a line break in it. */
  if (text[offset] === '"' && state !== 'colon' && state !== 'next')
    return place(text, offset, 'a whole text in double quotes');
  const closing = open.at(-1) === '{' ? '"}"' : '"]"';
  const expected = {
    value: 'a value',
    'first item': 'a value or "]"',
    'first key': 'a key in double quotes or "}"',
    key: 'a key in double quotes',
    colon: '":"',
    next: `"," or ${closing}`,
  }[state];
  return place(text, offset, expected);
}

function place(text: string, offset: number, expected: string): JsonError {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  return { line, column, expected: offset >= text.length ? `${expected}, found the end of the file` : expected };
}
