import { isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { CracBuildError } from '../errors.ts';
import { closestWord } from './closest-word.ts';
import { suggestKey } from './schema-keys.ts';
import { type Settings, settingsSchema } from './settings.ts';

export interface ConfigFile {
  /** As it was given: messages show it. */
  readonly path: string;
  readonly settings: Settings;
  /** "crac-build.yaml:3: app.jar" for the key at that path. */
  readonly locate: (key: readonly PropertyKey[]) => string;
}

/** Text of crac-build.yaml → settings, or CONFIG_INVALID that names file, line and key of every problem. `path` is for messages. */
export function parseConfig(text: string, path: string): ConfigFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const lineAt = (offset: number) => lineCounter.linePos(offset).line;
  const syntaxErrors = document.errors.map((error) => `${path}:${lineAt(error.pos[0])}: ${error.message}`);
  if (syntaxErrors.length > 0) throw invalid(path, syntaxErrors);

  /** The line of the deepest part of `key` that is there: a missing key has none of its own. */
  const lineOf = (key: readonly PropertyKey[]): number => {
    for (let depth = key.length; depth > 0; depth--) {
      const found = findOffset(document.contents, key.slice(0, depth));
      if (found !== undefined) return lineAt(found);
    }
    return 1;
  };
  const locate = (key: readonly PropertyKey[]) => `${path}:${lineOf(key)}: ${renderKey(key)}`;

  const parsed = settingsSchema.safeParse(document.toJS() ?? {});
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => {
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => {
          const where = [...issue.path, key];
          return {
            line: lineOf(where),
            text: `${locate(where)} is not a known key${didYouMean(suggestKey(settingsSchema, issue.path, key))}`,
          };
        });
      }
      const value = document.getIn(issue.path);
      return [
        {
          line: lineOf(issue.path),
          text: `${locate(issue.path)}: ${describe(issue, isNode(value) ? value.toJSON() : value)}`,
        },
      ];
    });
    throw invalid(
      path,
      problems.sort((a, b) => a.line - b.line).map(({ text }) => text),
    );
  }
  return { path, settings: parsed.data, locate };
}

function invalid(path: string, problems: readonly string[]): CracBuildError {
  const [first, second] = problems;
  return second === undefined
    ? new CracBuildError('CONFIG_INVALID', first ?? `${path} is not valid`)
    : new CracBuildError('CONFIG_INVALID', `${path} has ${problems.length} problems`, { details: problems });
}

/** Where the pair's key, or the list's item, begins in the text. */
function findOffset(root: unknown, key: readonly PropertyKey[]): number | undefined {
  let node = root;
  let offset: number | undefined;
  for (const part of key) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String(item.key) === String(part));
      if (pair === undefined) return undefined;
      offset = isNode(pair.key) ? pair.key.range?.[0] : undefined;
      node = pair.value;
    } else {
      const items = (node as { items?: unknown[] } | null)?.items;
      const item = items?.[Number(part)];
      if (item === undefined) return undefined;
      offset = isNode(item) ? item.range?.[0] : undefined;
      node = item;
    }
  }
  return offset;
}

/** ["warmUp","requests",0,"path"] → "warmUp.requests[0].path". */
function renderKey(key: readonly PropertyKey[]): string {
  const text = key.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text === '' ? 'the whole file' : text.replace(/^\./, '');
}

function describe(issue: z.core.$ZodIssue, value: unknown): string {
  const found = value === undefined ? '' : `, found ${JSON.stringify(value)}`;
  switch (issue.code) {
    case 'invalid_type': {
      if (value === undefined) return 'is missing';
      const custom = issue.message.startsWith('expected')
        ? issue.message
        : `expected ${KINDS[issue.expected] ?? issue.expected}`;
      return `${custom}${found}`;
    }
    case 'invalid_value': {
      const words = issue.values.map(String);
      return `expected ${words.join(', ')}${found}${didYouMean(closestWord(String(value), words))}`;
    }
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${issue.origin === 'array' ? ' item' : ''}${found}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${found}`;
    case 'custom':
      return issue.message;
    default:
      return `${issue.message}${found}`;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'keys and values',
  record: 'keys and values',
  array: 'a list',
  string: 'a text',
  boolean: 'true or false',
};

function didYouMean(word: string | undefined): string {
  return word === undefined ? '' : `; did you mean "${word}"?`;
}
