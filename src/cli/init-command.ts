import { stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_CONFIG_FILE } from '../config/load-settings.ts';
import { parseConfig } from '../config/parse-config.ts';
import { CracBuildError } from '../errors.ts';
import { composeConfig } from '../init/compose-config.ts';
import { composeWarmUp } from '../init/compose-warm-up.ts';
import { type ImportOptions, importScenarios } from '../init/import-scenarios.ts';
import { type AppFindings, inspectApp } from '../init/inspect-app.ts';
import { writeConfig } from '../init/write-config.ts';
import { renderInit } from './render-init.ts';
import type { CommandResult } from './run-command.ts';

export interface InitFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly fromHar?: string;
  readonly fromOpenapi?: string;
  readonly fromAccessLog?: string;
  readonly host?: string;
  readonly top?: number;
  readonly includeWrites?: boolean;
  readonly includeAssets?: boolean;
  readonly think?: boolean;
  readonly json?: boolean;
}

const DEFAULT_TOP = 20;

export function addInitFlags(command: Command): Command {
  return command
    .argument('[dir|jar]', 'the app’s project folder, or its executable jar; the current folder where it is left out')
    .option('--output <file>', 'where to write; "-" prints, and of an import the scenarios alone (crac-build.yaml)')
    .option('--force', 'write over a file that is there')
    .option('--from-har <file>', 'make a scenario of a recording that a browser has saved')
    .option('--from-openapi <file>', 'make scenarios of the GETs that an OpenAPI document describes')
    .option('--from-access-log <file>', 'make scenarios of the most frequent requests of an access log')
    .option('--host <host>', 'HAR: whose requests are taken (the one with the most pages)')
    .option('--think', 'HAR: keep the times between requests')
    .option('--top <number>', `access log: how many kinds of requests are taken (${DEFAULT_TOP})`, parseTop)
    .option('--include-writes', 'OpenAPI, access log: also what may write (POST, PUT, PATCH, DELETE)')
    .option('--include-assets', 'HAR, access log: also images, styles, scripts and fonts')
    .option('--json', 'print one JSON object');
}

function parseTop(text: string): number {
  const top = Number(text);
  if (!/^\d{1,4}$/.test(text) || top < 1) throw new InvalidArgumentError('Expected a whole number from 1 to 9999.');
  return top;
}

/** Finds out what an app is and writes a crac-build.yaml for it, or prints it. */
export async function runInit(target: string | undefined, flags: InitFlags): Promise<CommandResult> {
  refuseStrayFlags(flags);
  const place = resolve(target ?? '.');
  const imports = await importScenarios(importOptions(flags));
  const isPrinted = flags.output === '-';
  /** To be put into a file that is there: no app is asked for. */
  if (isPrinted && imports.length > 0) {
    const yaml = checked(`${composeWarmUp(imports).join('\n')}\n`);
    return { text: yaml, json: { ok: true, yaml, imports: imports.map(summarise) } };
  }
  const findings = await inspectApp(place);
  const file = isPrinted ? undefined : await placeOfConfig(place, flags.output);
  const yaml = checked(composeConfig(findings, imports, file === undefined ? process.cwd() : dirname(file)));
  if (file !== undefined) await writeConfig(file, yaml, { force: flags.force ?? false });
  const next = nextCommand(file);
  return {
    text: file === undefined ? yaml : renderInit({ findings, imports, file: shorten(file), next }),
    json: {
      ok: true,
      ...(file === undefined ? { yaml } : { file }),
      ...describe(findings),
      imports: imports.map(summarise),
      next,
    },
  };
}

/** What is written must be what `build` reads; anything else is a bug of ours. */
function checked(yaml: string): string {
  parseConfig(yaml, DEFAULT_CONFIG_FILE);
  return yaml;
}

function importOptions(flags: InitFlags): ImportOptions {
  const { fromHar, fromOpenapi, fromAccessLog, host } = flags;
  return {
    ...(fromHar === undefined ? {} : { har: fromHar }),
    ...(fromOpenapi === undefined ? {} : { openApi: fromOpenapi }),
    ...(fromAccessLog === undefined ? {} : { accessLog: fromAccessLog }),
    ...(host === undefined ? {} : { host }),
    top: flags.top ?? DEFAULT_TOP,
    includeWrites: flags.includeWrites ?? false,
    includeAssets: flags.includeAssets ?? false,
    keepThinkTimes: flags.think ?? false,
  };
}

/** A flag that would change nothing was meant for something. */
function refuseStrayFlags(flags: InitFlags): void {
  const { fromHar, fromOpenapi, fromAccessLog } = flags;
  const needs: readonly (readonly [string, unknown, readonly unknown[], string])[] = [
    ['--host', flags.host, [fromHar], '--from-har'],
    ['--think', flags.think, [fromHar], '--from-har'],
    ['--top', flags.top, [fromAccessLog], '--from-access-log'],
    ['--include-writes', flags.includeWrites, [fromOpenapi, fromAccessLog], '--from-openapi or --from-access-log'],
    ['--include-assets', flags.includeAssets, [fromHar, fromAccessLog], '--from-har or --from-access-log'],
  ];
  for (const [flag, given, partners, names] of needs) {
    if (given === undefined || partners.some((partner) => partner !== undefined)) continue;
    throw new CracBuildError('USAGE', `${flag} goes with ${names}`, {
      hint: `Leave out ${flag}, or name what to import.`,
    });
  }
}

/** Beside what was looked at: in the project's folder, or where the command was called with a jar. */
async function placeOfConfig(place: string, output: string | undefined): Promise<string> {
  if (output !== undefined) return resolve(output);
  const isFolder = (await stat(place)).isDirectory();
  return join(isFolder ? place : process.cwd(), DEFAULT_CONFIG_FILE);
}

function nextCommand(file: string | undefined): string {
  const isDefault = file === undefined || (dirname(file) === process.cwd() && basename(file) === DEFAULT_CONFIG_FILE);
  return isDefault ? 'crac-build build' : `crac-build build --config ${shorten(file)}`;
}

function shorten(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith('..') ? file : short;
}

function describe({ jar, framework, endpoints }: AppFindings): object {
  return { jar: jar.path, framework, endpoints };
}

function summarise({ source, scenarios, notes }: Awaited<ReturnType<typeof importScenarios>>[number]): object {
  return { source, scenarioCount: scenarios.length, notes };
}
