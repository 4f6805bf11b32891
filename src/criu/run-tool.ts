import { execFile } from 'node:child_process';
import { CracBuildError } from '../errors.ts';

export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the build machine. A non-zero exit code is a result; TOOLBOX_MISSING when it is not installed. */
export async function runTool(argv: readonly string[], signal: AbortSignal, hint?: string): Promise<ToolResult> {
  const [program = '', ...rest] = argv;
  return await new Promise((resolve, reject) => {
    execFile(program, rest, { signal, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (signal.aborted) reject(new CracBuildError('INTERRUPTED', 'interrupted', { cause: error }));
      else if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else if (error.signal) resolve({ exitCode: 128, stdout, stderr: `${stderr}ended by ${error.signal}` });
      else {
        reject(
          new CracBuildError('TOOLBOX_MISSING', `cannot run ${program}: ${error.message}`, {
            ...(hint !== undefined && { hint }),
            cause: error,
          }),
        );
      }
    });
  });
}
