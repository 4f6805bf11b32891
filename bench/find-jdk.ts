import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { runCommand } from './run-command.ts';

/** The JDK that `--base` names, or the one that a user would get. */
export async function findJdk(base: string | undefined): Promise<string> {
  if (base !== undefined) {
    if (!base.startsWith('jdk:')) throw new Error(`--base ${base}: must be jdk:PATH`);
    return base.slice('jdk:'.length);
  }
  if (process.env['JAVA_HOME']) return process.env['JAVA_HOME'];
  const java = (await runCommand(['sh', '-c', 'command -v java'])).trim();
  return dirname(dirname(await realpath(java)));
}
