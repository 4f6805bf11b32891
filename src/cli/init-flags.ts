import { type Command, InvalidArgumentError, Option } from 'commander';
import { CracBuildError } from '../errors.ts';
import { TEMPLATES, type TemplateName } from '../init/compose-dockerfile.ts';
import type { ImportOptions } from '../init/import-scenarios.ts';

export interface InitFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly dockerfile?: boolean;
  readonly template?: TemplateName;
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
    .argument(
      '[dir|jar]',
      'the app’s project folder, one that a build tool made of it, or its executable jar; the current folder where it is left out',
    )
    .option('--output <file>', 'where to write; "-" prints, and of an import the scenarios alone (crac-build.yaml)')
    .option('--force', 'write over a file that is there')
    .option('--dockerfile', 'also write a Dockerfile for the app, and have the image built from it')
    .addOption(
      new Option('--template <name>', 'which Dockerfile; by the framework where it is left out').choices(TEMPLATES),
    )
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

/** Wrong combinations are USAGE. */
export function importOptions(flags: InitFlags): ImportOptions {
  refuseStrayFlags(flags);
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
    ['--template', flags.template, [flags.dockerfile], '--dockerfile'],
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
