/** The kinds of values that crac-build.yaml is made of. */
import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { parseSize } from './size.ts';

/** A string of one form, checked and converted at once. */
export function word<T>(parse: (text: string) => T | undefined, expected: string) {
  return z.union([z.string(), z.number()], { error: `expected ${expected}` }).transform((value, context): T => {
    const parsed = parse(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: `expected ${expected}, found ${JSON.stringify(value)}` });
    return z.NEVER;
  });
}

export const size = word(parseSize, 'a size with its unit, such as "100MB"');
export const containerGlob = z.string().startsWith('/', { error: 'expected an absolute path in the container' });
export const duration = word(parseDuration, 'a duration with its unit, such as "30s" or "500ms"');
/** YAML reads `8080` and `true` as number and boolean where a text is meant. */
export const text = z
  .union([z.string(), z.number(), z.boolean()], { error: 'expected a text' })
  .transform((value) => String(value));
export const port = z.int({ error: 'expected a port number' }).min(1).max(65_535);
export const status = z.int({ error: 'expected an HTTP status' }).min(100).max(599);
export const urlPath = z.string().startsWith('/', { error: 'expected a path that begins with "/"' });
export const count = z.int({ error: 'expected a whole number' }).min(1);
export const regex = z.string().superRefine((pattern, context) => {
  try {
    new RegExp(pattern);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `expected a regular expression: ${(error as Error).message}` });
  }
});
