import { dirname, join, normalize } from 'node:path';

/** One source file: its path below src/, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Top to bottom: a file may import from its own layer and from those below. Within a layer there are no cycles of folders. */
const LAYERS: readonly (readonly string[])[] = [
  ['cli', 'action'],
  ['build.ts', 'config', 'plan', 'init'],
  ['stages'],
  ['cache', 'engine', 'oci', 'criu', 'restore-plan', 'warm-up', 'base', 'jar', 'sbom', 'attest'],
  ['tar', 'report', 'hotspot', 'glibc'],
  ['errors.ts', 'world.ts', 'version.ts', 'steps.ts'],
];

/** Values that travel through the pipeline. Their types, and nothing else, may be imported from every layer. */
const TYPES_FOR_ALL = [
  'world.ts',
  'plan/build-plan.ts',
  'engine/engine.ts',
  'oci/image.ts',
  'criu/checkpoint.ts',
  'report/event.ts',
];

/** Packages with one place. */
const PACKAGE_PLACES: Readonly<Record<string, RegExp>> = {
  '@balena/dockerignore': /^engine\/build-context\.ts$/,
  yauzl: /^jar\/read-zip\.ts$/,
  yazl: /^jar\/thin-jar\.ts$/,
  dockerode: /^engine\/docker[^/]*\.ts$/,
  commander: /^cli\//,
  esbuild: /^warm-up\/bundle-script\.ts$/,
  listr2: /^(report|cli)\//,
};

const PROCESS_PLACES = /^(cli|action)\//;
/** Facts that nobody could want to pass in differently. */
const PROCESS_FACTS = /^(pid|arch)$/;

/** Every broken rule as a sentence; empty when all hold. */
export function findViolations(files: readonly SourceFile[]): readonly string[] {
  const violations: string[] = [];
  const folderImports = new Map<string, Set<string>>();
  for (const file of files) {
    const code = withoutComments(file.text);
    if (layerOf(file.path) === undefined) {
      violations.push(`${file.path}: ${partOf(file.path)} belongs to no layer`);
      continue;
    }
    if (!PROCESS_PLACES.test(file.path) && touchesProcess(code)) {
      violations.push(`${file.path}: only cli/ and action/ touch process`);
    }
    for (const { specifier, typeOnly } of parseImports(code)) {
      if (specifier.startsWith('.')) {
        const target = normalize(join(dirname(file.path), specifier));
        const violation = judgeImport(file.path, target, typeOnly);
        if (violation !== undefined) violations.push(violation);
        if (!typeOnly && partOf(target) !== partOf(file.path)) {
          const imports = folderImports.get(partOf(file.path)) ?? new Set();
          folderImports.set(partOf(file.path), imports.add(partOf(target)));
        }
      } else {
        const place = PACKAGE_PLACES[specifier.split('/')[0] ?? ''];
        if (place !== undefined && !place.test(file.path)) {
          violations.push(`${file.path}: ${specifier} is not imported here, only in ${place.source}`);
        }
      }
    }
  }
  return [...violations, ...findCycles(folderImports)];
}

export function parseImports(code: string): readonly { specifier: string; typeOnly: boolean }[] {
  const statements =
    /\b(import|export)\s+(type\s)?[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...code.matchAll(statements)].map((match) => ({
    specifier: match[3] ?? match[4] ?? '',
    typeOnly: match[2] !== undefined,
  }));
}

function judgeImport(from: string, target: string, typeOnly: boolean): string | undefined {
  if (target.startsWith('..')) return `${from}: imports ${target}, outside src/`;
  if (typeOnly && TYPES_FOR_ALL.includes(target)) return undefined;
  const fromLayer = layerOf(from);
  const targetLayer = layerOf(target);
  if (fromLayer === undefined || targetLayer === undefined) return `${from}: ${target} belongs to no layer`;
  return targetLayer < fromLayer ? `${from}: imports ${target}, which is above it` : undefined;
}

/** The folder below src/, or the file itself at the top. */
function partOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function layerOf(path: string): number | undefined {
  const layer = LAYERS.findIndex((parts) => parts.includes(partOf(path)));
  return layer === -1 ? undefined : layer;
}

function touchesProcess(code: string): boolean {
  const imported = [...code.matchAll(/import\s*\{([^}]*)\}\s*from\s*['"](?:node:)?process['"]/g)].flatMap((match) =>
    (match[1] ?? '').split(',').map((name) => name.trim().split(' ')[0] ?? ''),
  );
  const rest = code.replaceAll(/import\s*\{[^}]*\}\s*from\s*['"](?:node:)?process['"]/g, '');
  const withoutText = withoutLiterals(rest);
  const members = [...withoutText.matchAll(/(?<![\w.$])process\s*(?:\?\.|\.|\[)\s*(\w*)/g)].map(
    (match) => match[1] ?? '',
  );
  return (
    parseImports(rest).some(({ specifier }) => /^(node:)?process$/.test(specifier)) ||
    [...imported, ...members].some((name) => name !== '' && !PROCESS_FACTS.test(name)) ||
    /(?<![\w.$])process\s*(\?\.)?\[/.test(withoutText)
  );
}

/** Text goes, what stands in `${…}` stays. */
function withoutLiterals(code: string): string {
  return code
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    .replaceAll(/`(?:[^`\\]|\\.)*`/g, (template) =>
      [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, expression]) => `(${expression})`).join(''),
    );
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm, '');
}

function findCycles(imports: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    [...(imports.get(from) ?? [])].some(
      (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))),
    );
  return [...imports.keys()]
    .filter((folder) => reaches(folder, folder, new Set()))
    .map((folder) => `${folder}: imports itself through other folders`);
}
