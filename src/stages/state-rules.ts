import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { WhyLeftOut } from '../criu/state-report.ts';
import type { BuildPlan } from '../plan/build-plan.ts';

/** The JVM's own, for tools on the same machine: the restored one makes its own. */
const JVM_FILES = /\/(?:hsperfdata_[^/]+(?:\/.*)?|\.java_pid\d+|\.attach_pid\d+)$/;

/**
 * Folders that libraries make in the temporary one at their start and go on using: Tomcat, Jetty, Undertow, Vert.x, Quarkus,
 * and the jars that Spring Boot unpacks because they must be files.
 */
const WORK_FOLDERS =
  /^(?:tomcat(?:-docbase)?[.-]|jetty[-_]|undertow|vertx-|quarkus|spring-boot-libs-|helidon|micronaut|grizzly)/;

/** What the JVM, and the `java` command, read options from. */
const OPTION_VARIABLES = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS'];

export interface StateRules {
  /** In what the process holds, all stays. */
  readonly held: ReadonlySet<string>;
  readonly temporaryFolders: readonly string[];
  readonly cacheFolders: readonly string[];
  /** The app's folder. */
  readonly home: string;
  readonly keep: readonly string[];
  readonly leaveOut: readonly string[];
}

/** Undefined: it is kept. Folders always are, but the JVM's own: what makes a file later needs its folder. */
export type JudgeState = (path: string, isFolder: boolean) => WhyLeftOut | undefined;

export function planStateRules(
  { app, base, command, checkpoint }: Pick<BuildPlan, 'app' | 'base' | 'command' | 'checkpoint'>,
  held: ReadonlySet<string>,
): StateRules {
  const inherited = base.kind === 'image' ? base.environment : {};
  const environment: Readonly<Record<string, string>> = { ...inherited, ...app.environment, ...command.environment };
  const home = environment['HOME'] ?? app.workingDir;
  const words = [...OPTION_VARIABLES.flatMap((name) => (environment[name] ?? '').split(/\s+/)), ...command.argv];
  const named = words.flatMap((word) => /^-Djava\.io\.tmpdir=(.+)$/.exec(word)?.[1] ?? []);
  const absolute = (path: string) => posix.resolve(app.workingDir, path);
  const caches = [environment['XDG_CACHE_HOME'] ?? `${home}/.cache`, `${home}/.java/fonts`];
  return {
    held,
    temporaryFolders: ['/tmp', '/var/tmp', ...named.map(absolute)],
    cacheFolders: ['/root/.cache', '/var/cache', ...caches.map(absolute)],
    home: app.workingDir,
    keep: checkpoint.keep,
    leaveOut: checkpoint.leaveOut,
  };
}

/** Compiles the rules; the first that says something wins: held, kept by name, left out by name, the JVM's, temporary, cache. */
export function openStateRules({ held, temporaryFolders, cacheFolders, keep, leaveOut }: StateRules): JudgeState {
  const isKept = compileGlobs(keep);
  const isLeftOut = compileGlobs(leaveOut);
  /** Who works right there has not only what is temporary in it. */
  const temporary = temporaryFolders.filter((folder) => !held.has(folder));
  const caches = cacheFolders.filter((folder) => !held.has(folder));
  const places = [...temporary, ...caches];
  /** Folders right in these of which the process holds anything: what lies beside that belongs to it. */
  const inUse = new Set([...held].flatMap((path) => findTop(path, places) ?? []));
  const holdsInside = (folder: string) => [...held].some((path) => path.startsWith(`${folder}/`));
  return (path, isFolder) => {
    if (held.has(path) || isKept(path)) return undefined;
    if (JVM_FILES.test(path) && !(isFolder && holdsInside(path))) return 'jvm';
    if (isFolder) return undefined;
    if (isLeftOut(path)) return 'configured';
    const top = findTop(path, places);
    if (top === undefined || (top !== path && inUse.has(top))) return undefined;
    if (isInside(path, caches)) return 'cache';
    return top !== path && WORK_FOLDERS.test(posix.basename(top)) ? undefined : 'temporary';
  };
}

/**
 * `/tmp/jetty-1` of `/tmp/jetty-1` and of `/tmp/jetty-1/webapp/a.css`; undefined for what lies elsewhere. Of folders in one another
 * the innermost counts.
 */
function findTop(path: string, folders: readonly string[]): string | undefined {
  const [folder] = folders.filter((one) => path.startsWith(`${one}/`)).toSorted((a, b) => b.length - a.length);
  if (folder === undefined) return undefined;
  const end = path.indexOf('/', folder.length + 1);
  return end === -1 ? path : path.slice(0, end);
}

function isInside(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

/** A folder stands for all in it. */
function compileGlobs(globs: readonly string[]): (path: string) => boolean {
  if (globs.length === 0) return () => false;
  return picomatch(
    globs.flatMap((glob) => [glob, `${glob.replace(/\/+$/, '')}/**`]),
    { dot: true },
  );
}
