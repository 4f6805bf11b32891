import { readFile } from 'node:fs/promises';

/** How this machine reaches Debian's main archive: read from apt's own configuration each time, never kept. */
export interface AptArchive {
  readonly uri: string;
  readonly keyring: string;
  /** Settings of apt that matter for reaching it, as `--aptopt` takes them. */
  readonly options: readonly string[];
}

const DEFAULT_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * `indexTargets`: output of `apt-get indextargets`, records of "Key: value" lines divided by empty lines. Undefined where
 * the machine knows no Debian archive (Ubuntu, other systems).
 */
export async function readAptArchive(indexTargets: string, aptConfig: string): Promise<AptArchive | undefined> {
  const records = indexTargets
    .split('\n\n')
    .map(parseRecord)
    .filter((record) => record['Component'] === 'main');
  const target =
    records.find((record) => record['Origin'] === 'Debian' && record['Label'] === 'Debian') ??
    // Without downloaded lists apt does not know the origin yet.
    records.find((record) => record['Origin'] === undefined && /\/debian\/?$/.test(record['Repo-URI'] ?? ''));
  const uri = target?.['Repo-URI'];
  if (target === undefined || uri === undefined) return undefined;
  const keyring = target['Signed-By'] || (await readSignedBy(target['Sourcesentry'] ?? '')) || DEFAULT_KEYRING;
  return { uri, keyring, options: readAptOptions(aptConfig) };
}

function parseRecord(text: string): Readonly<Record<string, string>> {
  const pairs = text.split('\n').map((line) => /^([^:]+): (.+)$/.exec(line));
  return Object.fromEntries(pairs.flatMap((match) => (match ? [[match[1] ?? '', match[2] ?? '']] : [])));
}

/** The key file that the entry ("FILE:LINE or number of stanza") names; undefined when it names none, or holds the key itself. */
async function readSignedBy(entry: string): Promise<string | undefined> {
  const match = /^(.+):(\d+)$/.exec(entry);
  if (match?.[1] === undefined) return undefined;
  const text = await readFile(match[1], 'utf8').catch(() => '');
  const stanzas = text.split(/\n\s*\n/);
  const place = match[1].endsWith('.sources')
    ? (stanzas.find((stanza) => lineOf(text, stanza) >= Number(match[2])) ?? text)
    : (text.split('\n')[Number(match[2]) - 1] ?? '');
  return /signed-by\s*[:=]\s*(\/[^\s\]]+)/i.exec(place)?.[1];
}

/** 1-based number of the stanza's last line. */
function lineOf(text: string, stanza: string): number {
  return text.slice(0, text.indexOf(stanza) + stanza.length).split('\n').length;
}

const PASSED_ON = /^Acquire::(Check-Valid-Until|Check-Date|https?::Proxy|https?::Timeout|Retries) "(.*)";$/;

/** `aptConfig`: output of `apt-config dump`. */
function readAptOptions(aptConfig: string): readonly string[] {
  return aptConfig.split('\n').flatMap((line) => {
    const match = PASSED_ON.exec(line);
    return match !== null && match[2] !== '' ? [`Acquire::${match[1]} "${match[2]}"`] : [];
  });
}
