import { posix } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { parseElfHeader } from './elf-header.ts';
import { DEFAULT_PATH } from './find-jvm.ts';
import { type Resolved, type RootIndex, resolveIn } from './root-index.ts';
import { findStayingParent } from './shell-script.ts';

/** How an image starts its JVM. */
export interface ImageStart {
  /** Entrypoint and command as they are, the program with its whole path. */
  readonly argv: readonly string[];
  /** `java`: the first word is the JVM itself. `wrapper`: it becomes the JVM, or so we hope: the running process tells. */
  readonly kind: 'java' | 'wrapper';
  /** Of a wrapper that is a script: what it looks like to us, for a message where it does not become the JVM. */
  readonly suspect?: string;
  /** How many of the words are the entrypoint's. */
  readonly entrypointLength: number;
}

export interface StartPlace {
  readonly source: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** They wait for their child, to end with it. */
const PARENTS = /^(?:tini(?:-static)?|dumb-init|docker-init|catatonit|s6-svscan|supervisord|runsvdir|runit|init)$/;
/** They become what their arguments say. */
const BECOMERS = /^(?:env|gosu|su-exec|setpriv|nice|ionice|chrt|numactl|stdbuf|setarch|chroot|nohup)$/;
/** Of Cloud Native Buildpacks: https://github.com/buildpacks/spec/blob/platform/v0.14/platform.md#launcher */
const BUILDPACKS = '/cnb/lifecycle/launcher';
const SHELLS = /^(?:sh|bash|dash|ash|ksh|mksh|zsh)$/;

/** INPUT_INVALID where no JVM can come of it. */
export function inspectStart(root: RootIndex, place: StartPlace): ImageStart {
  const { source, entrypoint, command } = place;
  const words = [...entrypoint, ...command];
  const [program, ...rest] = words;
  if (program === undefined) {
    throw refuse(
      source,
      'it has neither an entrypoint nor a command',
      'Give it one that starts Java: ENTRYPOINT ["java", "-jar", "…"].',
    );
  }
  const found = findProgram(root, program, place);
  if (found === undefined)
    throw refuse(source, `its entrypoint ${program} is not in it`, 'Correct the image’s ENTRYPOINT.');
  const path = found.asked;
  const start = { argv: [path, ...rest], entrypointLength: entrypoint.length } as const;
  const name = posix.basename(found.path);
  const { content } = found.entry;
  const isElf = content !== undefined && parseElfHeader(content) !== undefined;
  if (isElf && name === 'java') return { ...start, kind: 'java' };
  if (PARENTS.test(posix.basename(path)) || PARENTS.test(name)) {
    throw refuse(
      source,
      `its entrypoint is ${program}, which stays the parent of what it starts`,
      `Leave it out: ENTRYPOINT ${JSON.stringify(withoutOptions(rest))}. A JVM needs no init, and \`docker run --init\` brings one where it is wanted.`,
    );
  }
  if (isElf && (SHELLS.test(posix.basename(path)) || SHELLS.test(name))) return inspectShell(root, start, rest, place);
  if (isElf && (BECOMERS.test(posix.basename(path)) || found.path === BUILDPACKS)) return { ...start, kind: 'wrapper' };
  const text = content?.toString() ?? '';
  if (text.startsWith('#!')) return inspectScript(start, found.path, text, place);
  throw refuse(
    source,
    `its entrypoint ${words.join(' ')} is neither \`java\` nor a script that starts it`,
    'Make it ENTRYPOINT ["java", …], or a shell script that ends with `exec java …`.',
  );
}

/** `sh -c TEXT` or `sh FILE`. */
function inspectShell(
  root: RootIndex,
  start: Pick<ImageStart, 'argv' | 'entrypointLength'>,
  words: readonly string[],
  place: StartPlace,
): ImageStart {
  const isCommand = words.some((word) => /^-[a-z]*c$/.test(word));
  const operand = words.find((word) => !word.startsWith('-'));
  if (operand === undefined) {
    throw refuse(place.source, 'it starts a shell and nothing else', 'Give it an ENTRYPOINT that starts Java.');
  }
  // Shells become the only command of -c by themselves, some the last one: the running process tells.
  if (isCommand) return { ...start, kind: 'wrapper', suspect: describeSuspect('its command', operand) };
  const script = resolveIn(root, posix.resolve(place.workingDir, operand));
  return inspectScript(start, operand, script?.entry.content?.toString() ?? '', place);
}

function inspectScript(
  start: Pick<ImageStart, 'argv' | 'entrypointLength'>,
  path: string,
  text: string,
  { source }: StartPlace,
): ImageStart {
  const found = findStayingParent(text);
  const suspect = describeSuspect(path, text);
  if (found === undefined || /\bexec\b/.test(text)) return { ...start, kind: 'wrapper', suspect };
  throw staysParent(source, suspect);
}

export function staysParent(source: string, suspect: string | undefined): CracBuildError {
  return new CracBuildError(
    'INPUT_INVALID',
    `the entrypoint of ${source} stays the parent of the JVM${suspect === undefined ? '' : `: ${suspect}`}`,
    {
      hint: 'A checkpoint is of one process, the first of the container. Let the shell become the JVM: write `exec java …` where it says `java …`.',
    },
  );
}

/** "/run.sh:7: java -jar app.jar", with the line to write instead. */
function describeSuspect(path: string, text: string): string {
  const found = findStayingParent(text);
  if (found === undefined) return path;
  return `${path}:${found.line}: \`${found.text}\`, make it \`${found.better}\``;
}

/** As execvp(3) looks for it, and as it was found: with its links, which decide what some programs are. */
function findProgram(root: RootIndex, program: string, place: StartPlace): (Resolved & { asked: string }) | undefined {
  const places = program.includes('/')
    ? [posix.resolve(place.workingDir, program)]
    : (place.environment['PATH'] ?? DEFAULT_PATH).split(':').map((folder) => posix.resolve('/', folder, program));
  for (const asked of places) {
    const found = resolveIn(root, asked);
    if (found?.entry.type === 'file') return { ...found, asked };
  }
  return undefined;
}

function withoutOptions(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => !word.startsWith('-'));
  return first === -1 ? words : words.slice(first);
}

function refuse(source: string, words: string, hint: string): CracBuildError {
  return new CracBuildError('INPUT_INVALID', `${source} cannot be the app: ${words}`, { hint });
}
