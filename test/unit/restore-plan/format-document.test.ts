/** docs/formats says what the C compiler says, field by field: an offset, a size or a number that differs is an error here. */
import { readdirSync, readFileSync } from 'node:fs';

interface Golden {
  readonly constants: Readonly<Record<string, number | string>>;
  readonly structs: Readonly<
    Record<string, { readonly size: number; readonly fields: Readonly<Record<string, readonly [number, number]>> }>
  >;
}
const golden = JSON.parse(readFileSync(new URL('../../golden/plan-format.json', import.meta.url), 'utf8')) as Golden;
const formats = new URL('../../../docs/formats/', import.meta.url);
const lines = readdirSync(formats).flatMap((name) => readFileSync(new URL(name, formats), 'utf8').split('\n'));

/** The rows of the table that follows "`crac_…`, N bytes". */
function describedStructs(): ReadonlyMap<string, Golden['structs'][string]> {
  const found = new Map<string, { size: number; fields: Record<string, [number, number]> }>();
  let current: { size: number; fields: Record<string, [number, number]> } | undefined;
  for (const line of lines) {
    const title = /`(crac_\w+)`, (\d+) bytes/.exec(line);
    const row = /^\| (\d+) \| (\d+) \| `(\w+)` \|/.exec(line);
    if (title?.[1] !== undefined) {
      current = { size: Number(title[2]), fields: {} };
      found.set(title[1], current);
    } else if (row?.[3] !== undefined && current !== undefined)
      current.fields[row[3]] = [Number(row[1]), Number(row[2])];
  }
  return found;
}

test.each(Object.keys(golden.structs))('%s is described as it is', (name) => {
  expect(describedStructs().get(name)).toEqual(golden.structs[name]);
});

test('nothing is described that is not there', () => {
  expect([...describedStructs().keys()].toSorted()).toEqual(Object.keys(golden.structs).toSorted());
});

test('every constant is named with its value', () => {
  const described = lines.flatMap((line) => {
    const row = /^\| `(CRAC_\w+)` \| (\w+) \|/.exec(line);
    return row?.[1] === undefined || row[2] === undefined ? [] : [[row[1], BigInt(row[2])] as const];
  });
  const wanted = Object.entries(golden.constants).map(([name, value]) => [name, BigInt(value)] as const);
  expect(Object.fromEntries(described)).toEqual(Object.fromEntries(wanted));
});

test('every field has a meaning, but those of prctl_mm_map', () => {
  const without = lines.flatMap((line) => /^\| \d+ \| \d+ \| `(\w+)` \| [^|]+ \| \|$/.exec(line)?.[1] ?? []);
  const selfEvident = ['rseq_signature', 'umask', 'protocol', 'packet_count', 'value'];
  const ofMm = /^(start|end|arg|env)_|^brk$/;
  expect(without.filter((field) => !ofMm.test(field) && !selfEvident.includes(field))).toEqual([]);
});
