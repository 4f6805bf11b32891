import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { explainNoSpace } from '../oci/space.ts';

const TOOL_TIMEOUT_MS = 5 * 60_000;

/** Texts that are parsed come in English, and the user's own options for other programs stay out of ours. */
const ENVIRONMENT = ['-u', 'JAVA_TOOL_OPTIONS', '-u', 'JDK_JAVA_OPTIONS', '-u', '_JAVA_OPTIONS', 'LC_ALL=C.UTF-8'];

/** The same on every machine, for what is made of a process: the current folder, language and time zone leave traces in it. */
const ISOLATED = ['--ignore-environment', '--chdir=/', 'PATH=/usr/bin:/bin', 'LC_ALL=C', 'TZ=UTC'];

/** Runs a program of the JDK or of the build machine and returns its stdout; rejects with JDK_TOOL_FAILED. */
export function runTool(
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  { isIsolated = false } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      'env',
      [...(isIsolated ? ISOLATED : ENVIRONMENT), file, ...args],
      { signal, timeout: TOOL_TIMEOUT_MS, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        if (signal.aborted) return reject(error);
        const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
        if (lines.some((line) => line.includes('No space left on device'))) {
          return reject(explainNoSpace({ code: 'ENOSPC' }, `running ${basename(file)}`));
        }
        const ended = error.signal ?? `exit code ${error.code}`;
        reject(
          new CracBuildError(
            'JDK_TOOL_FAILED',
            `${basename(file)} ended with ${ended}: ${lines.at(0) ?? 'it said nothing'}`,
            {
              hint: `Try it by hand: ${[file, ...args].join(' ')}`,
              details: lines.slice(-20),
              cause: error,
            },
          ),
        );
      },
    );
  });
}
