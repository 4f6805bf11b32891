import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIME_LIMIT_MS = 5000;

export interface Revision {
  /** The commit, with "-dirty" where files differ from it. */
  readonly commit: string;
  /** Where the repository is published, without what could be secret in it. */
  readonly url?: string;
}

/** What git tells of the folder; undefined where there is no git, or no repository. */
export async function readRevision(folder: string): Promise<Revision | undefined> {
  const commit = await ask(folder, ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*']);
  if (commit === undefined) return undefined;
  const url = publicUrl((await ask(folder, ['remote', 'get-url', 'origin'])) ?? '');
  return { commit, ...(url !== undefined && { url }) };
}

/** Without user, password and query. Undefined: a path on this machine, or nothing that can be understood. */
export function publicUrl(remote: string): string | undefined {
  const [, host, path] = /^(?:[\w.-]+@)?([\w.-]+\.[\w.-]+):(?!\/\/)(.+)$/.exec(remote) ?? [];
  if (host !== undefined && path !== undefined) return `ssh://${host}/${path.replace(/^\/+/, '')}`;
  if (!/^(?:https?|ssh|git):\/\//.test(remote) || !URL.canParse(remote)) return undefined;
  const { protocol, host: place, pathname } = new URL(remote);
  return `${protocol}//${place}${pathname}`;
}

async function ask(folder: string, words: readonly string[]): Promise<string | undefined> {
  return await run('git', ['-C', folder, ...words], { timeout: TIME_LIMIT_MS }).then(
    ({ stdout }) => stdout.trim() || undefined,
    () => undefined,
  );
}
