import { type Command, Option } from 'commander';
import { exportToolbox, importToolbox } from '../criu/carry-toolbox.ts';
import { checkToolbox, makeToolbox, openToolbox, toolboxFolder } from '../criu/toolbox.ts';
import { CracBuildError } from '../errors.ts';
import { renderBytes } from '../report/render-bytes.ts';
import type { Toolbox } from '../world.ts';
import { cacheFolder, makeFolder } from './open-world.ts';
import type { CommandResult } from './run-command.ts';

export interface ToolboxFlags {
  readonly make?: boolean;
  readonly check?: boolean;
  readonly export?: string;
  readonly import?: string;
  readonly sha256?: string;
  readonly json?: boolean;
}

export function addToolboxFlags(command: Command): Command {
  const only = (flags: string, description: string, ...others: readonly string[]) =>
    command.addOption(new Option(flags, description).conflicts([...others]));
  only('--make', 'make it anew with mmdebstrap', 'check', 'export', 'import');
  only('--check', 'say whether it is there and runs', 'make', 'export', 'import');
  only('--export <file>', 'write it as a .tar.gz for machines without Debian’s archive', 'make', 'check', 'import');
  only('--import <file-or-url>', 'take it from such a file', 'make', 'check', 'export');
  return command
    .option('--sha256 <digest>', 'what --import must find; a URL needs it')
    .option('--json', 'print one JSON object');
}

/** Without a flag: checks the toolbox, and makes it where there is none. */
export async function runToolbox(flags: ToolboxFlags, signal: AbortSignal): Promise<CommandResult> {
  if (flags.sha256 !== undefined && flags.import === undefined) {
    throw new CracBuildError('USAGE', '--sha256 belongs to --import', {
      hint: '`crac-build toolbox --help` shows it.',
    });
  }
  const cacheDir = await makeFolder(cacheFolder());
  const options = { cacheDir, signal };
  if (flags.make) return describe(await makeToolbox(options));
  if (flags.check) return describe(await checkToolbox(toolboxFolder(cacheDir), signal));
  if (flags.import !== undefined)
    return describe(await importToolbox(flags.import, { ...options, digest: flags.sha256 }));
  const toolbox = await openToolbox(options);
  if (flags.export === undefined) return describe(toolbox);
  const { digest, sizeBytes } = await exportToolbox(toolbox, flags.export);
  return {
    text: `${flags.export}: CRIU ${toolbox.criuVersion}, ${renderBytes(sizeBytes)}, ${digest}\n`,
    json: { ok: true, file: flags.export, criuVersion: toolbox.criuVersion, sizeBytes, digest },
  };
}

function describe(toolbox: Toolbox): CommandResult {
  return { text: `${toolbox.dir}: CRIU ${toolbox.criuVersion}\n`, json: { ok: true, ...toolbox } };
}
