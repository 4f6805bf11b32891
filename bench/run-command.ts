import { execFile } from 'node:child_process';

/** Runs a command to its end and gives its stdout; a failure tells the last lines of what it said. */
export async function runCommand(
  argv: readonly string[],
  options: { readonly cwd?: string; readonly onStderr?: (line: string) => void } = {},
): Promise<string> {
  const [file = '', ...rest] = argv;
  return await new Promise((resolve, reject) => {
    const child = execFile(file, rest, { cwd: options.cwd, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new Error(`${argv.join(' ')} failed\n${`${stdout}${stderr}`.trimEnd().split('\n').slice(-15).join('\n')}`),
        );
    });
    child.stderr?.on('data', (chunk: string) => {
      for (const line of chunk.split('\n')) if (line.trim() !== '') options.onStderr?.(line);
    });
  });
}
