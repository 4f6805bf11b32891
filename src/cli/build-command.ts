import { join } from 'node:path';
import { openSigner } from '../attest/signer.ts';
import { build } from '../build.ts';
import { openToolbox } from '../criu/toolbox.ts';
import { connectEngine } from '../engine/connect.ts';
import { collectFacts } from '../plan/collect-facts.ts';
import { planBuild } from '../plan/plan-build.ts';
import type { Report } from '../report/event.ts';
import { checkAttestations } from '../stages/attest.ts';
import { checkCompression } from '../stages/check-compression.ts';
import { checkOutputs } from '../stages/publish.ts';
import { runStage } from '../stages/run-stage.ts';
import type { BuildFlags } from './build-flags.ts';
import { cacheFolder, makeFolder, nativeFolder, openWorkFolder } from './open-world.ts';
import { readSettings } from './plan-command.ts';
import { renderBuild } from './render-build.ts';
import { renderWarmthPage } from './render-warmth-page.ts';
import type { CommandResult } from './run-command.ts';
import { requirePlaceForPage, writePage } from './write-page.ts';

/** Cheap checks first: settings, jar and JDK, then the engine, then the toolbox. */
export async function runBuild(
  jar: string | undefined,
  flags: BuildFlags,
  context: { readonly report: Report; readonly signal: AbortSignal },
): Promise<CommandResult> {
  const { report, signal } = context;
  if (flags.report !== undefined) await requirePlaceForPage(flags.report);
  await using work = await openWorkFolder();
  const cacheDir = await makeFolder(cacheFolder());

  const { plan, ...prepared } = await runStage(
    context,
    'plan',
    async () => {
      const settings = await readSettings(jar, flags);
      const blobDir = join(work.path, 'blobs');
      const access = { blobDir, workDir: work.path, cacheDir, report, signal };
      const facts = await collectFacts(settings, process.env, access);
      planBuild(settings, facts);
      const nativeDir = nativeFolder();
      const engine = await connectEngine(settings.engine ?? 'auto', {
        cacheDir,
        nativeDir,
        signal,
        environment: process.env,
      });
      const plan = planBuild(settings, { ...facts, engine: engine.name });
      await checkCompression(plan.image, engine, plan.base);
      await checkOutputs(plan.outputs, engine, {
        environment: process.env,
        insecureHosts: plan.insecureRegistries,
        signal,
      });
      checkAttestations(plan);
      const { signing } = plan.attestations;
      const signer = signing === undefined ? undefined : await openSigner(signing, process.env, signal);
      const toolbox = await openToolbox({ criu: flags.criu, dir: flags.toolbox, cacheDir, signal });
      return { plan, engine, toolbox, nativeDir, ...(signer === undefined ? {} : { signer }) };
    },
    ({ engine, toolbox }) => `${engine.description}, CRIU ${toolbox.criuVersion}`,
  );
  if (!plan.verify.enabled) {
    report({
      type: 'warning',
      message: 'verify is off: this image may not restore, and nobody will have seen it',
      hint: 'Leave out --no-verify (verify.enabled) for anything that is to be deployed.',
    });
  }
  const result = await build(plan, {
    ...prepared,
    report,
    signal,
    environment: process.env,
    workDir: work.path,
    cacheDir,
  });
  if (flags.report === undefined) return { text: renderBuild(result), json: { ok: true, ...result } };
  await writePage(flags.report, renderWarmthPage(result));
  return { text: `${renderBuild(result)}\nas a page: ${flags.report}\n`, json: { ok: true, ...result } };
}
