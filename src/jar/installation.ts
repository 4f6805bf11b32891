import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CracBuildError } from '../errors.ts';
import { findHomeParts, replaceAppHome } from './app-home.ts';
import type { AppSource } from './app-source.ts';
import { inspectClassPath } from './class-path.ts';
import { parseStartScript, type StartScript } from './start-script.ts';

/** Gradle's `installDist`. */
export async function inspectInstallation(
  folder: string,
  mainClass: string | undefined,
): Promise<AppSource | undefined> {
  const scripts: { readonly name: string; readonly script: StartScript }[] = [];
  for (const name of (await readdir(join(folder, 'bin'))).filter((one) => !one.endsWith('.bat')).sort()) {
    const text = await readFile(join(folder, 'bin', name), 'utf8').catch(() => '');
    const script = parseStartScript(text);
    if (script !== undefined) scripts.push({ name, script });
  }
  const chosen = mainClass === undefined ? scripts : scripts.filter(({ script }) => script.mainClass === mainClass);
  const [only, ...further] = chosen;
  if (only === undefined) return undefined;
  if (further.length > 0) {
    throw new CracBuildError('INPUT_INVALID', `${folder} has ${chosen.length} start scripts`, {
      hint: `Say which: --main-class ${only.script.mainClass} (app.mainClass).`,
      details: chosen.map(({ name, script }) => `bin/${name}: ${script.mainClass}`),
    });
  }
  const { script, name } = only;
  const source = await inspectClassPath(
    script.classPath.map((path) => join(folder, path)),
    script.mainClass,
    {
      title: `an installation, as bin/${name} starts it`,
      path: folder,
      javaOptions: script.javaOptions.map((option) => replaceAppHome(option, '/app')),
    },
  );
  const placed = source.layers.flatMap(({ parts }) => parts);
  const brought = await findHomeParts(folder, script.javaOptions, placed);
  const layers = source.layers.map((layer) =>
    layer.kind === 'app' ? { ...layer, parts: [...layer.parts, ...brought] } : layer,
  );
  return { ...source, name, layers };
}
