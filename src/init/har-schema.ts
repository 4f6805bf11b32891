import { z } from 'zod';
import { CracBuildError } from '../errors.ts';
import { parseJson } from './parse-json.ts';

/** Recorders write null for what they do not know. */
function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** What is used of HTTP Archive 1.2: http://www.softwareishard.com/blog/har-12-spec/ */
const entrySchema = z.object({
  startedDateTime: z.iso.datetime({ offset: true, error: 'expected a date such as "2026-01-31T12:00:00.000Z"' }),
  /** Milliseconds; -1 where it is not known. */
  time: maybe(z.number()),
  request: z.object({
    method: z.string(),
    url: z.string().refine((url) => URL.canParse(url), { error: 'expected a URL' }),
    headers: maybe(z.array(z.object({ name: z.string(), value: z.string() }))),
    /** -1 where it is not known. */
    bodySize: maybe(z.number()),
    postData: maybe(
      z.object({
        mimeType: maybe(z.string()),
        text: maybe(z.string()),
        params: maybe(z.array(z.object({ name: z.string(), value: maybe(z.string()) }))),
      }),
    ),
  }),
  response: z.object({
    /** 0 where no answer came. */
    status: z.number(),
    content: maybe(z.object({ mimeType: maybe(z.string()) })),
  }),
});
const harSchema = z.object({ log: z.object({ entries: z.array(entrySchema) }) });

export type HarEntry = z.output<typeof entrySchema>;

/** Text of a HAR → its entries, or INPUT_INVALID with the place and what was expected there. */
export function parseHar(text: string, path: string): readonly HarEntry[] {
  const parsed = parseJson(text);
  if ('error' in parsed) {
    const { line, column, expected } = parsed.error;
    throw damaged(`${path}:${line}:${column}: expected ${expected}`);
  }
  const har = harSchema.safeParse(parsed.value);
  if (!har.success) {
    const problems = har.error.issues.map((issue) => `${path}: ${renderPlace(issue.path)}: ${describe(issue)}`);
    throw damaged(problems[0] ?? path, problems.slice(1, MAX_PROBLEMS));
  }
  if (har.data.log.entries.length > 0) return har.data.log.entries;
  throw damaged(`${path}: log.entries: expected at least one request, found none`);
}

const MAX_PROBLEMS = 5;

function damaged(message: string, details: readonly string[] = []): CracBuildError {
  return new CracBuildError('INPUT_INVALID', message, {
    hint: 'Give --from-har a file as a browser saves it: developer tools, Network, "Save all as HAR".',
    details,
  });
}

function renderPlace(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text === '' ? 'the whole file' : text.slice(1);
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  const found = /received (\w+)/.exec(issue.message)?.[1];
  const words = found === undefined ? '' : `, found ${found === 'undefined' ? 'nothing' : (KINDS[found] ?? found)}`;
  return `expected ${KINDS[issue.expected] ?? issue.expected}${words}`;
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
};
