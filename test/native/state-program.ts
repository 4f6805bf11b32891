/** What the first comment of test/states/NAME.c says; test/states/README.md explains the lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResourceAction } from '../../src/criu/checkpoint.ts';

export type Mode = 'map' | 'read';
/** Of the machine on which it is restored, as against the one on which it was dumped. */
export type Clock = 'same' | 'ahead' | 'behind';
export interface StateProgram {
  readonly name: string;
  readonly title: string;
  /** Of the processor, as /proc/cpuinfo names it: without it the state cannot come about. */
  readonly needs: string | undefined;
  /** How its memory is restored; none: it is not restored. */
  readonly restored: readonly Mode[];
  /** Patterns, see `matches`. */
  readonly refused: readonly string[];
  readonly notDumped: string | undefined;
  readonly notRestored: string | undefined;
  readonly resources: readonly { readonly fd: number; readonly action: ResourceAction }[] | undefined;
  readonly beforeCompile: readonly string[];
  readonly beforeRestore: readonly string[];
  readonly clocks: readonly Clock[];
}

const KEYS = [
  'needs',
  'restored',
  'refused',
  'not dumped',
  'not restored',
  'resource',
  'before compile',
  'before restore',
  'clock',
];

export function readStatePrograms(folder: string): readonly StateProgram[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.c'))
    .toSorted()
    .map((file) => parseStateProgram(file.replace(/\.c$/, ''), readFileSync(join(folder, file), 'utf8')));
}

function parseStateProgram(name: string, source: string): StateProgram {
  const comment = /^\/\*\n(.*?)\n \*\/\n/s.exec(source)?.[1] ?? '';
  const [title = '', ...rest] = comment.split('\n').map((line) => line.replace(/^ \* ?/, ''));
  const lines = rest.map((line) => {
    const [, key = '', value = ''] = /^([a-z ]+): (.+)$/.exec(line) ?? [];
    if (!KEYS.includes(key)) throw new Error(`test/states/${name}.c: not understood: ${line}`);
    return { key, value };
  });
  const valuesOf = (wanted: string): string[] => lines.filter(({ key }) => key === wanted).map(({ value }) => value);
  const program: StateProgram = {
    name,
    title,
    needs: valuesOf('needs')[0],
    restored: valuesOf('restored').flatMap((value) => value.split(', ') as Mode[]),
    refused: valuesOf('refused'),
    notDumped: valuesOf('not dumped')[0],
    notRestored: valuesOf('not restored')[0],
    resources: lines.some(({ key }) => key === 'resource') ? valuesOf('resource').map(parseResource) : undefined,
    beforeCompile: valuesOf('before compile'),
    beforeRestore: valuesOf('before restore'),
    clocks: (valuesOf('clock')[0] ?? 'same').split(', ') as Clock[],
  };
  const outcomes = [program.restored[0], program.refused[0], program.notDumped, program.notRestored];
  if (title === '' || outcomes.filter((outcome) => outcome !== undefined).length !== 1)
    throw new Error(`test/states/${name}.c: the first comment must name the state and one outcome`);
  return program;
}

function parseResource(value: string): { fd: number; action: ResourceAction } {
  const [, fd = '', action = ''] = /^(\d+) (close|reopen|ignore)$/.exec(value) ?? [];
  if (action === '') throw new Error(`not a resource: ${value}`);
  return { fd: Number(fd), action: action as ResourceAction };
}

/** `*` in the pattern stands for any text. */
export function matches(pattern: string, text: string): boolean {
  const literal = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${pattern.split('*').map(literal).join('.*')}$`, 's').test(text);
}
