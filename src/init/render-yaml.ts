import { stringify } from 'yaml';

const MAX_COLUMNS = 110;

/** A value as YAML, in lines that can stand at any depth. */
export function renderValue(value: unknown): readonly string[] {
  return stringify(value, { lineWidth: 0, singleQuote: true }).trimEnd().split('\n');
}

/** Comment lines; `bullet` begins the first, and the others stand under its text. */
export function renderComment(text: string, bullet = ''): readonly string[] {
  /** What stands in backquotes stays on one line. */
  const words = text.replaceAll(/\s+/g, ' ').match(/`[^`]*`\S*|\S+/g) ?? [];
  const lines: string[] = [];
  let line = `# ${bullet}`;
  let isFirst = true;
  for (const word of words) {
    if (!isFirst && line.length + 1 + word.length > MAX_COLUMNS) {
      lines.push(line);
      line = `# ${' '.repeat(bullet.length)}${word}`;
    } else line += isFirst ? word : ` ${word}`;
    isFirst = false;
  }
  return [...lines, line];
}

export function indent(lines: readonly string[], columns = 2): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `${' '.repeat(columns)}${line}`));
}

/** One item of a list. */
export function asItem([first = '', ...rest]: readonly string[]): readonly string[] {
  return [`- ${first}`, ...indent(rest)];
}
