import { parseAllDocuments } from 'yaml';

/** Dotted keys → values, as texts. */
export type Properties = ReadonlyMap<string, string>;

/**
 * Java's .properties: "key=value", "key: value" or "key value"; `#` and `!` begin comments, `\` at a line's end continues it.
 * https://docs.oracle.com/en/java/javase/25/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)
 */
export function parseProperties(text: string): Properties {
  const properties = new Map<string, string>();
  const logical = text.replaceAll(/(^|[^\\])((?:\\\\)*)\\(?:\r\n|\r|\n)[ \t\f]*/g, '$1$2');
  for (const line of logical.split(/\r\n|\r|\n/)) {
    const match = /^[ \t\f]*((?:[^\\:=\s]|\\.)+)[ \t\f]*[:=]?[ \t\f]*(.*)$/.exec(line);
    if (match?.[1] === undefined || /^[#!]/.test(match[1])) continue;
    properties.set(unescapeText(match[1]), unescapeText(match[2] ?? '').trimEnd());
  }
  return properties;
}

function unescapeText(text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, character: string) =>
    code === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** YAML, nested or dotted, in one document or several; those for one profile only are left out. No keys where it is damaged. */
export function parseYamlProperties(text: string): Properties {
  const properties = new Map<string, string>();
  const documents = parseAllDocuments(text);
  for (const document of Array.isArray(documents) ? documents : []) {
    if (document.errors.length > 0) continue;
    const flat = new Map<string, string>();
    flatten(document.toJS(), '', flat);
    if ([...flat.keys()].some((key) => /^spring\.(config\.activate\.on-profile|profiles)(\[|$)/.test(key))) continue;
    for (const [key, value] of flat) properties.set(key, value);
  }
  return properties;
}

function flatten(value: unknown, key: string, into: Map<string, string>): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) flatten(item, `${key}[${index}]`, into);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) flatten(item, key === '' ? name : `${key}.${name}`, into);
  } else if (value !== null && value !== undefined) into.set(key, String(value));
}
