import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A package as dpkg knows it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the source it was made from, where that has another name. */
  readonly source?: string;
}

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 << 20;
/** Paths a command line: far below the kernel's limit. */
const BATCH = 500;

/**
 * /var/lib/dpkg/status, and the files of /var/lib/dpkg/status.d in images without dpkg: paragraphs of "Field: value",
 * continued by lines that begin with a space. Only what is installed.
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html
 */
export function parseDpkgStatus(text: string): readonly DebianPackage[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = new Map(
      paragraph.split('\n').flatMap((line) => {
        const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
        return match === null ? [] : [[match[1]?.toLowerCase() ?? '', match[2]?.trim() ?? ''] as const];
      }),
    );
    const [name, version] = [fields.get('package'), fields.get('version')];
    const status = fields.get('status');
    if (name === undefined || version === undefined || (status !== undefined && !/ installed$/.test(status))) return [];
    const source = fields.get('source')?.split(' ')[0];
    return [
      {
        name,
        version,
        architecture: fields.get('architecture') ?? 'all',
        ...(source === undefined || source === name ? {} : { source }),
      },
    ];
  });
}

/**
 * Which packages of this machine the files belong to, by the path that was asked for; files of no package are not in the
 * answer, and nothing is where there is no dpkg. On systems whose /lib is a link into /usr, dpkg may know a file by
 * either name.
 */
export async function findOwners(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DebianPackage>> {
  const names = new Map(
    paths.flatMap((path) => [path, otherName(path)].flatMap((name) => (name ? [[name, path]] : []))),
  );
  const ownerOf = new Map<string, string>();
  for (const batch of slice([...names.keys()])) {
    for (const line of (await ask('dpkg-query', ['--search', ...batch], signal)).split('\n')) {
      const match = /^(?!diversion )(\S+?)(?:, \S+)*: (\/.*)$/.exec(line);
      const path = names.get(match?.[2] ?? '');
      if (path !== undefined && match?.[1] !== undefined) ownerOf.set(path, match[1]);
    }
  }
  const packages = new Map<string, DebianPackage>();
  const fields = ['binary:Package', 'Package', 'Version', 'Architecture', 'source:Package'];
  const format = `${fields.map((field) => `$\{${field}}`).join('\\t')}\\n`;
  for (const batch of slice([...new Set(ownerOf.values())])) {
    for (const line of (await ask('dpkg-query', ['--show', `--showformat=${format}`, ...batch], signal)).split('\n')) {
      const [binary = '', name = '', version = '', architecture = '', source = ''] = line.split('\t');
      const found = { name, version, architecture, ...(source === name || source === '' ? {} : { source }) };
      if (name !== '') packages.set(binary, found).set(name, found);
    }
  }
  return new Map(
    [...ownerOf].flatMap(([path, owner]) => {
      const found = packages.get(owner) ?? packages.get(owner.split(':')[0] ?? '');
      return found === undefined ? [] : [[path, found] as const];
    }),
  );
}

function otherName(path: string): string | undefined {
  return /^\/usr\/(lib|lib64|bin|sbin)\//.test(path) ? path.slice('/usr'.length) : undefined;
}

function slice(items: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, index) =>
    items.slice(index * BATCH, (index + 1) * BATCH),
  );
}

/** dpkg-query ends with 1 where one path belongs to no package, and still tells of the others. */
async function ask(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    return (await run('env', ['LC_ALL=C', program, ...args], { signal, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  } catch (error) {
    if (signal.aborted) throw error;
    return (error as { readonly stdout?: string }).stdout ?? '';
  }
}
