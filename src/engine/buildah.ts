import { CracBuildError } from '../errors.ts';
import type { BuildProgress, DockerfileBuild } from './dockerfile-build.ts';
import { lastLinesOf, runCommand } from './run-command.ts';
import { stopGently } from './stop-gently.ts';

const SHOWN_LINES = 20;
/** For its containers and mounts to go. */
const STOP_TIMEOUT_MS = 5000;

/** Builds without a daemon and writes the image to the layout `dir`, as `latest`. */
export async function buildWithBuildah(
  build: DockerfileBuild,
  dir: string,
  environment: NodeJS.ProcessEnv,
  { tell, signal }: BuildProgress,
): Promise<void> {
  await requireBuildah({ environment, signal });
  tell('building with buildah');
  const { file, context, buildArguments, target, tag } = build;
  await run(
    [
      ...['buildah', 'build', '--layers', '--file', file, '--tag', tag],
      ...Object.entries(buildArguments).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
      ...(target === undefined ? [] : ['--target', target]),
      context,
    ],
    `build ${file}`,
    { environment, signal },
  );
  await run(['buildah', 'push', '--quiet', tag, `oci:${dir}:latest`], `write the image of ${file}`, {
    environment,
    signal,
  });
}

interface RunOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

async function requireBuildah(options: RunOptions): Promise<void> {
  const isThere = await runCommand(['buildah', '--version'], options).then(
    ({ exitCode }) => exitCode === 0,
    (error: unknown) => {
      if (options.signal.aborted) throw error;
      return false;
    },
  );
  if (isThere) return;
  throw new CracBuildError(
    'ENGINE_UNAVAILABLE',
    'the oci engine builds no Dockerfile without buildah, which is not installed',
    {
      hint: 'Install buildah, use --engine docker, or build the image elsewhere and give it: --image oci:DIR.',
    },
  );
}

async function run(argv: readonly string[], what: string, options: RunOptions): Promise<void> {
  const { exitCode, stdout, stderr } = await runCommand(argv, {
    ...options,
    onAbort: (child) => stopGently(child, STOP_TIMEOUT_MS),
  });
  if (exitCode === 0) return;
  const details = lastLinesOf(`${stdout}${stderr}`, SHOWN_LINES);
  throw new CracBuildError('ENGINE_FAILED', `buildah failed to ${what}: ${details.at(-1) ?? `exit code ${exitCode}`}`, {
    hint: `The command was: ${renderCommand(argv)}`,
    details,
  });
}

/** Values of build arguments may be secrets. */
function renderCommand(argv: readonly string[]): string {
  return argv.map((word, index) => (argv[index - 1] === '--build-arg' ? word.replace(/=.*$/s, '=…') : word)).join(' ');
}
