/**
 * The images that a Dockerfile begins with or copies from, as far as its ARGs tell them: neither its own stages nor `scratch`.
 * https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact
 */
export function listBases(text: string, buildArguments: Readonly<Record<string, string>>): readonly string[] {
  const known = new Map<string, string>();
  const stages = new Set(['scratch']);
  const bases = new Set<string>();
  const add = (word: string): void => {
    const reference = substitute(word, known);
    if (reference !== undefined && !stages.has(reference.toLowerCase()) && !/^\d+$/.test(reference))
      bases.add(reference);
  };
  let isBeforeFirst = true;
  for (const line of joinLines(text)) {
    const [instruction = '', ...words] = line.trim().split(/\s+/);
    switch (instruction.toUpperCase()) {
      case 'ARG':
        if (isBeforeFirst) for (const word of words) define(word, known, buildArguments);
        break;
      case 'FROM': {
        isBeforeFirst = false;
        const [image, as, name] = words.filter((word) => !word.startsWith('--'));
        if (image !== undefined) add(image);
        if (as?.toUpperCase() === 'AS' && name !== undefined) stages.add(name.toLowerCase());
        break;
      }
      case 'COPY': {
        const from = words.find((word) => word.startsWith('--from='));
        if (from !== undefined) add(from.slice('--from='.length));
        break;
      }
    }
  }
  return [...bases];
}

/** Comments left out, lines that end with a backslash joined. */
function joinLines(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  return lines
    .join('\n')
    .replaceAll(/\\[ \t]*\n/g, ' ')
    .split('\n');
}

function define(word: string, known: Map<string, string>, given: Readonly<Record<string, string>>): void {
  const [, name = '', value] = /^(\w+)(?:=(.*))?$/.exec(word) ?? [];
  const text =
    given[name] ?? (value === undefined ? undefined : substitute(value.replaceAll(/^["']|["']$/g, ''), known));
  if (name !== '' && text !== undefined) known.set(name, text);
}

/** Undefined where an ARG has no value. */
function substitute(word: string, known: ReadonlyMap<string, string>): string | undefined {
  let isWhole = true;
  const text = word.replaceAll(
    /\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))/g,
    (_, braced?: string, otherwise?: string, bare?: string) => {
      const value = known.get(braced ?? bare ?? '') ?? otherwise;
      isWhole &&= value !== undefined;
      return value ?? '';
    },
  );
  return isWhole && !text.includes('$') ? text : undefined;
}
