import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readZip } from '../jar/read-zip.ts';
import { runTool } from './run-tool.ts';

/** In every image, whatever jdeps finds; those that a JDK does not have are left out. */
const ALWAYS: Readonly<Record<string, string>> = {
  'java.base': 'the JVM itself',
  'java.logging': 'libraries look for it by reflection',
  'java.management': "MXBeans, among them the runtime's own",
  'java.naming': 'DNS and data sources, looked up by name',
  'jdk.crypto.ec': 'TLS with elliptic curves; jdeps sees no provider',
  'jdk.jfr': 'flight recordings of a running container',
  'jdk.management': 'com.sun.management beans',
  'jdk.unsupported': 'sun.misc.Unsafe',
  'jdk.zipfs': 'jar: file systems, opened through a provider',
};

/** What most programs need that jdeps cannot look into. */
const WHEN_UNKNOWN = ['java.se', 'jdk.httpserver', 'jdk.naming.dns', 'jdk.net'];

/** Providers that a module asks for by name only. */
const COMPANIONS: Readonly<Record<string, readonly string[]>> = {
  'java.naming': ['jdk.naming.dns'],
};

export interface ModuleRequest {
  readonly jdk: string;
  readonly javaVersion: number;
  /** All modules of the JDK. */
  readonly available: readonly string[];
  /** The app's jar and what its Class-Path names, absolute; nested jars are unpacked to `workDir`. */
  readonly jars: readonly string[];
  readonly nested: boolean;
  readonly workDir: string;
}

export interface FoundModules {
  readonly modules: readonly string[];
  /** Why jdeps could not tell, when it could not. */
  readonly warning?: string;
}

/** The modules for jlink, sorted. Reflection is invisible to jdeps: `base.modules` is there for that. */
export async function findModules(request: ModuleRequest, signal: AbortSignal): Promise<FoundModules> {
  const found = await askJdeps(request, signal);
  const wanted = [...Object.keys(ALWAYS), ...(found.modules ?? WHEN_UNKNOWN)];
  const modules = composeModules(wanted, request.available);
  return found.warning === undefined ? { modules } : { modules, warning: found.warning };
}

export function composeModules(wanted: readonly string[], available: readonly string[]): readonly string[] {
  const all = new Set(wanted.flatMap((module) => [module, ...(COMPANIONS[module] ?? [])]));
  return [...all].filter((module) => available.length === 0 || available.includes(module)).sort();
}

async function askJdeps(
  request: ModuleRequest,
  signal: AbortSignal,
): Promise<{ readonly modules?: readonly string[]; readonly warning?: string }> {
  const jars = request.nested ? await unpackNestedJars(request) : request.jars;
  const args = ['--print-module-deps', '--ignore-missing-deps', '--multi-release', String(request.javaVersion), '-q'];
  try {
    const out = await runTool(join(request.jdk, 'bin', 'jdeps'), [...args, ...jars], signal);
    return { modules: parseModuleDeps(out) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { warning: `the modules that the app needs could not be found: ${(error as Error).message}` };
  }
}

/** The last line is "java.base,java.logging"; warnings may come before it. */
export function parseModuleDeps(out: string): readonly string[] {
  const line = out.trim().split('\n').at(-1) ?? '';
  if (!/^[\w.]+(,[\w.]+)*$/.test(line)) throw new Error(`jdeps printed no list of modules: ${line}`);
  return line.split(',');
}

/** A Spring-Boot-like jar: its own classes under BOOT-INF/classes, its libraries as jars under BOOT-INF/lib. */
async function unpackNestedJars({ jars, workDir }: ModuleRequest): Promise<readonly string[]> {
  const unpacked: string[] = [];
  const classes = join(workDir, 'classes');
  for (const jar of jars) {
    for await (const entry of readZip(jar)) {
      const own = entry.name.startsWith('BOOT-INF/classes/') && entry.name.endsWith('.class');
      const library = /^BOOT-INF\/lib\/[^/]+\.jar$/.test(entry.name);
      if (!own && !library) continue;
      const target = library
        ? join(workDir, 'lib', basename(entry.name))
        : join(classes, entry.name.slice('BOOT-INF/classes/'.length));
      await mkdir(dirname(target), { recursive: true });
      await pipeline(await entry.open(), createWriteStream(target));
      if (library) unpacked.push(target);
    }
  }
  const hasClasses = await stat(classes).then(
    () => true,
    () => false,
  );
  return hasClasses ? [classes, ...unpacked] : unpacked;
}
