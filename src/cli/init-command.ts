import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { DEFAULT_CONFIG_FILE } from '../config/load-settings.ts';
import { parseConfig } from '../config/parse-config.ts';
import { composeConfig } from '../init/compose-config.ts';
import { composeDockerfile } from '../init/compose-dockerfile.ts';
import { composeWarmUp } from '../init/compose-warm-up.ts';
import { importScenarios } from '../init/import-scenarios.ts';
import type { Imported } from '../init/imported.ts';
import { type AppFindings, inspectApp, inspectWar } from '../init/inspect-app.ts';
import { writeFiles } from '../init/write-files.ts';
import { type InitFlags, importOptions } from './init-flags.ts';
import { renderInit } from './render-init.ts';
import type { CommandResult } from './run-command.ts';

/** Finds out what an app is and writes a crac-build.yaml for it, or prints it. */
export async function runInit(
  target: string | undefined,
  flags: InitFlags,
  cwd = process.cwd(),
): Promise<CommandResult> {
  const place = resolve(cwd, target ?? '.');
  const imports = await importScenarios(importOptions(flags));
  const isPrinted = flags.output === '-';
  /** To be put into a file that is there: no app is asked for. */
  if (isPrinted && imports.length > 0) {
    const yaml = checked(`${composeWarmUp(imports).join('\n')}\n`);
    return { text: yaml, json: { ok: true, yaml, imports: imports.map(summarise) } };
  }
  const isWar = flags.dockerfile === true && /\.war$/i.test(place);
  const findings = isWar ? await inspectWar(place) : await inspectApp(place);
  const file = isPrinted ? undefined : await placeOfConfig(place, flags.output, cwd);
  const folder = file === undefined ? cwd : dirname(file);
  const dockerfile = flags.dockerfile ? await composeDockerfile(findings, folder, flags.template) : undefined;
  if (isPrinted && dockerfile !== undefined) return { text: dockerfile, json: { ok: true, dockerfile } };
  const yaml = checked(composeConfig(findings, imports, folder, dockerfile && DOCKERFILE));
  const force = flags.force ?? false;
  if (file !== undefined) {
    const image = dockerfile === undefined ? [] : [{ path: join(folder, DOCKERFILE), text: dockerfile }];
    await writeFiles([{ path: file, text: yaml }, ...image], { force });
  }
  const next = nextCommand(file, cwd);
  return {
    text:
      file === undefined
        ? yaml
        : renderInit({
            findings,
            imports,
            yaml,
            file: shorten(file, cwd),
            ...(dockerfile === undefined ? {} : { dockerfile: shorten(join(folder, DOCKERFILE), cwd) }),
            next,
            cwd,
          }),
    json: {
      ok: true,
      ...(file === undefined ? { yaml } : { file }),
      ...(dockerfile === undefined ? {} : { dockerfile: join(folder, DOCKERFILE) }),
      ...describe(findings),
      imports: imports.map(summarise),
      next,
    },
  };
}

const DOCKERFILE = 'Dockerfile';

/** What is written must be what `build` reads; anything else is a bug of ours. */
function checked(yaml: string): string {
  parseConfig(yaml, DEFAULT_CONFIG_FILE);
  return yaml;
}

/** Beside what was looked at: in the project's folder, or where the command was called with a jar. */
async function placeOfConfig(place: string, output: string | undefined, cwd: string): Promise<string> {
  if (output !== undefined) return resolve(cwd, output);
  const isFolder = (await stat(place)).isDirectory();
  return join(isFolder ? place : cwd, DEFAULT_CONFIG_FILE);
}

function nextCommand(file: string | undefined, cwd: string): string {
  const isDefault = file === undefined || file === join(cwd, DEFAULT_CONFIG_FILE);
  return isDefault ? 'crac-build build' : `crac-build build --config ${shorten(file, cwd)}`;
}

function shorten(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short.startsWith('..') ? file : short;
}

function describe({ source, framework, endpoints }: AppFindings): object {
  const layers = source.layers.map(({ name }) => name);
  return { jar: source.path, title: source.title, layers, framework, endpoints };
}

function summarise({ source, scenarios, notes }: Imported): object {
  return { source, scenarioCount: scenarios.length, notes };
}
