import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CracBuildError } from '../../errors.ts';
import type { Credentials } from './credentials.ts';
import type { RepositoryPlace } from './place-repository.ts';

const ENTRY = z.looseObject({
  /** base64 of "USER:PASSWORD". */
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});

/** https://docs.docker.com/reference/cli/docker/#docker-cli-configuration-file-configjson-properties */
const FILE = z.looseObject({
  auths: z.record(z.string(), ENTRY).optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});

export type AuthFile = z.infer<typeof FILE>;

/** Undefined where there is none. Messages tell nothing of the content, which is secret: JSON.parse() would quote it. */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalid(path, `cannot be read (${code})`, 'Give the user that builds access to it.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(path, 'is no JSON', 'Mend it, or log in again with `docker login`.');
  }
  const parsed = FILE.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path: keys }) => keys.join('.') || 'the whole').join(', ');
  throw invalid(path, `has what is not expected there: ${places}`, 'Mend it, or log in again with `docker login`.');
}

/** Keys may be a host, an address with `/v1/` or `/v2/`, and in Podman's files a repository or what is above it: the longest wins. */
export function findAuth({ auths = {} }: AuthFile, { host, name }: RepositoryPlace): Credentials | undefined {
  const hosts = host === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [host];
  const parts = name.split('/');
  const wanted = parts.flatMap((_, index) =>
    hosts.map((each) => [each, ...parts.slice(0, parts.length - index)].join('/')),
  );
  const entries = new Map(Object.entries(auths).map(([key, entry]) => [normaliseKey(key), entry]));
  for (const key of [...wanted, ...hosts]) {
    const credentials = parseEntry(entries.get(key));
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

function normaliseKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
}

/** `{}` is what Docker leaves in the file when a credential store has the rest. */
function parseEntry(entry: z.infer<typeof ENTRY> | undefined): Credentials | undefined {
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { kind: 'identity-token', token: entry.identitytoken };
  const [user, ...rest] = entry.auth ? Buffer.from(entry.auth, 'base64').toString().split(':') : [entry.username];
  const password = entry.auth ? rest.join(':') : entry.password;
  // Docker of old wrote NULs behind the password.
  return user && password ? { kind: 'password', user, password: password.replace(/\0+$/, '') } : undefined;
}

function invalid(path: string, words: string, hint: string): CracBuildError {
  return new CracBuildError('CONFIG_INVALID', `the file of registry credentials ${path} ${words}`, { hint });
}
