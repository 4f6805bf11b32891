/**
 * The main section of META-INF/MANIFEST.MF: "Name: value" lines of at most 72 bytes, continued by lines that begin with
 * one space, ended by an empty line. Names are case-insensitive: lower case here.
 * https://docs.oracle.com/en/java/javase/25/docs/specs/jar/jar.html#jar-manifest
 */
export function parseManifest(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  let last: string | undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line === '') break;
    if (line.startsWith(' ')) {
      if (last !== undefined) attributes.set(last, `${attributes.get(last)}${line.slice(1)}`);
      continue;
    }
    const match = /^([A-Za-z0-9_-]+): ?(.*)$/.exec(line);
    last = match?.[1]?.toLowerCase();
    if (last !== undefined) attributes.set(last, match?.[2] ?? '');
  }
  return attributes;
}

const LINE_BYTES = 72;

/** A main section, its lines cut as the specification wants them. */
export function renderManifest(attributes: readonly (readonly [name: string, value: string])[]): string {
  const lines = attributes.flatMap(([name, value]) => wrap(`${name}: ${value}`));
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** By bytes, never inside a character. */
function wrap(text: string): readonly string[] {
  const lines: string[] = [''];
  for (const character of text) {
    const line = lines.at(-1) ?? '';
    if (Buffer.byteLength(line + character) > LINE_BYTES) lines.push(` ${character}`);
    else lines[lines.length - 1] = line + character;
  }
  return lines;
}
