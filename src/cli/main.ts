import { Command, CommanderError } from 'commander';
import { CracBuildError } from '../errors.ts';
import { errorToJson, renderError } from '../report/render-error.ts';
import { VERSION } from '../version.ts';
import { runBuild } from './build-command.ts';
import { addBuildFlags, type BuildFlags } from './build-flags.ts';
import { addCacheFlags, type CacheFlags, runCache } from './cache-command.ts';
import { runInit } from './init-command.ts';
import { addInitFlags, type InitFlags } from './init-flags.ts';
import { addInspectFlags, type InspectFlags, runInspect } from './inspect-command.ts';
import { addMergeFlags, type MergeFlags, runMerge } from './merge-command.ts';
import { runPlan } from './plan-command.ts';
import { runCommand } from './run-command.ts';
import { addToolboxFlags, runToolbox, type ToolboxFlags } from './toolbox-command.ts';
import { addValidateFlags, runValidate, type ValidateFlags } from './validate-command.ts';
import { addVerifyFlags, runVerify, type VerifyFlags } from './verify-command.ts';

const program = new Command('crac-build')
  .description('Turns a Java app into a pre-warmed container image that restores and does not start cold.')
  .version(VERSION, '--version')
  .showSuggestionAfterError()
  .exitOverride()
  /** Wrong usage is told below, in the form of all other errors. */
  .configureOutput({ outputError: () => {} });

addInitFlags(program.command('init'))
  .description('find out what an app is and write a crac-build.yaml for it')
  .action(async (target: string | undefined, flags: InitFlags) => {
    await finish(runCommand({ json: flags.json ?? false, hasStages: false }, () => runInit(target, flags)));
  });
addBuildFlags(program.command('build'))
  .description('build the image and verify that it restores')
  .option('--report <file>', 'also write a page that shows how the app became warm')
  .action(async (jar: string | undefined, flags: BuildFlags) => {
    await finish(
      runCommand({ json: flags.json ?? false, hasStages: true }, (context) => runBuild(jar, flags, context)),
    );
  });
addBuildFlags(program.command('plan'))
  .description('show what build would do')
  .action(async (jar: string | undefined, flags: BuildFlags) => {
    await finish(
      runCommand({ json: flags.json ?? false, hasStages: false }, (context) => runPlan(jar, flags, context)),
    );
  });
addInspectFlags(program.command('inspect'))
  .description('tell what an image is and what takes the space in it, or what it will do when it restores')
  .action(async (image: string | undefined, flags: InspectFlags) => {
    await finish(
      runCommand({ json: flags.json ?? false, hasStages: false }, ({ signal }) => runInspect(image, flags, signal)),
    );
  });
addValidateFlags(program.command('validate'))
  .description('compare an image with all digests and sizes in it, and with the rules of its format')
  .action(async (image: string, flags: ValidateFlags) => {
    await finish(
      runCommand({ json: flags.json ?? false, hasStages: false }, ({ signal }) => runValidate(image, signal, flags)),
    );
  });
addMergeFlags(program.command('merge'))
  .description('make one image of several that were built for different platforms')
  .action(async (sources: string[], flags: MergeFlags) => {
    await finish(
      runCommand({ json: flags.json ?? false, hasStages: false }, ({ signal }) => runMerge(sources, flags, signal)),
    );
  });
addVerifyFlags(program.command('verify'))
  .description('try whether a finished image restores, and check its signature, SBOM and provenance')
  .action(async (image: string, flags: VerifyFlags) => {
    const json = flags.json ?? false;
    await finish(runCommand({ json, hasStages: true }, (context) => runVerify(image, flags, context)));
  });
addToolboxFlags(program.command('toolbox'))
  .description('make, check, export or import the folder with CRIU that builds use')
  .action(async (flags: ToolboxFlags) => {
    const json = flags.json ?? false;
    await finish(runCommand({ json, hasStages: false }, ({ signal }) => runToolbox(flags, signal)));
  });

addCacheFlags(program.command('cache'))
  .description('tell what builds keep for later ones, or remove what was not used for longest')
  .action(async (flags: CacheFlags) => {
    const json = flags.json ?? false;
    await finish(runCommand({ json, hasStages: false }, ({ signal }) => runCache(flags, signal)));
  });

await program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof CommanderError)) throw error;
  /** --help and --version end here, too. */
  if (error.exitCode === 0) process.exit(0);
  /** No command at all: the help has been printed. */
  if (error.code === 'commander.help') process.exit(2);
  const usage = new CracBuildError(
    'USAGE',
    error.message.replace(/^error: /, '').replace(/\s*\(Did you mean (.*)\?\)/s, '; did you mean $1?'),
    {
      hint: '`crac-build --help` and `crac-build COMMAND --help` list what there is.',
    },
  );
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ ok: false, error: errorToJson(usage) }, null, 2)}\n`);
  } else process.stderr.write(renderError(usage));
  process.exit(2);
});

/** Ends the process although a connection pool may still hold it: everything with a lifetime has been disposed of. */
async function finish(exitCode: Promise<number>): Promise<void> {
  process.exit(await exitCode);
}
