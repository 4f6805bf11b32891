import type { Command } from 'commander';
import { Option } from 'commander';
import { type AttachedReport, checkAttached } from '../attest/check-attached.ts';
import { readPublicKey } from '../attest/public-key.ts';
import { readAttached } from '../attest/read-attached.ts';
import { loadSettings } from '../config/load-settings.ts';
import { connectEngine } from '../engine/connect.ts';
import { CracBuildError, isCracBuildError } from '../errors.ts';
import { findImage } from '../oci/find-images.ts';
import { PLACE_FORMS } from '../oci/place.ts';
import { composeLayoutImage } from '../oci/read-image.ts';
import { validateLayout } from '../oci/validate.ts';
import { planVerification } from '../plan/plan-verification.ts';
import type { Report } from '../report/event.ts';
import { renderDuration } from '../report/render-duration.ts';
import type { ImageSource } from '../stages/open-source.ts';
import { readVerifiedImage } from '../stages/read-verified-image.ts';
import { runStage } from '../stages/run-stage.ts';
import { type VerifyReport, type VerifyServerPlan, verifyImage } from '../stages/verify.ts';
import { type ProgramReport, verifyProgram } from '../stages/verify-program.ts';
import { addInsecureFlag, type InsecureFlag } from './insecure-flag.ts';
import { openTarget } from './open-target.ts';
import { cacheFolder, makeFolder, nativeFolder, openWorkFolder } from './open-world.ts';
import type { CommandResult } from './run-command.ts';

export interface VerifyFlags extends InsecureFlag {
  readonly key?: string;
  readonly requireSbom?: boolean;
  readonly requireProvenance?: boolean;
  readonly start: boolean;
  readonly config?: string;
  readonly engine?: 'auto' | 'docker' | 'oci';
  readonly json?: boolean;
}

export function addVerifyFlags(command: Command): Command {
  return addInsecureFlag(command)
    .argument('<image>', `${PLACE_FORMS}, or a folder with an image layout`)
    .option('--key <file>', 'a public key in PEM: image, SBOM and provenance must be signed with it')
    .option('--require-sbom', 'there must be an SBOM of this image')
    .option('--require-provenance', 'there must be provenance of this image')
    .option('--no-start', 'do not start the image, only look at it')
    .option('--config <file>', 'the crac-build.yaml it was built with: its services and warm-up requests are used')
    .addOption(new Option('--engine <engine>', 'what runs the containers').choices(['auto', 'docker', 'oci']))
    .option('--json', 'print one JSON object at the end, events as JSON lines on stderr');
}

interface Verified {
  readonly place: string;
  readonly digest: string;
  readonly attached: AttachedReport;
  readonly started?: VerifyReport | ProgramReport;
}

/** Whether an image is what it is to be: whole, signed, with papers, and restoring. Cheap things first; the first that is wrong is told. */
export async function runVerify(
  text: string,
  flags: VerifyFlags,
  context: { readonly report: Report; readonly signal: AbortSignal },
): Promise<CommandResult> {
  const key = flags.key === undefined ? undefined : await readPublicKey(flags.key);
  await using target = await openTarget(text, context.signal, flags.insecure);
  if (target.kind === 'files')
    throw new CracBuildError('INPUT_NOT_FOUND', `${text} is no image`, { hint: `Give one as ${PLACE_FORMS}.` });
  const verified = await runStage(
    context,
    'verify',
    async (): Promise<Verified> => {
      const { source } = target;
      const found = await findImage(source.dir, source.tag);
      const { digest } = found.descriptor;
      await requireValid(source, context.signal);
      const demands = { imageDigest: digest, key, sbom: flags.requireSbom ?? false };
      const attached = checkAttached(await readAttached(source.dir, digest), {
        ...demands,
        provenance: flags.requireProvenance ?? false,
      });
      if (!flags.start) return { place: source.place, digest, attached };
      return { place: source.place, digest, attached, started: await startImage(source, flags, context) };
    },
    ({ started }) =>
      started === undefined ? 'not started' : `restored in ${renderDuration(Math.min(...started.restoredMs))}`,
  );
  return { text: render(verified), json: { ok: true, ...verified } };
}

async function requireValid({ dir, tag, place }: ImageSource, signal: AbortSignal): Promise<void> {
  const problems = await validateLayout(dir, tag, { signal });
  if (problems.length === 0) return;
  throw new CracBuildError('IMAGE_INVALID', `${place} is not valid`, {
    hint: 'Build it again, or copy it again from where it came.',
    details: problems,
  });
}

async function startImage(
  source: ImageSource,
  { config, engine: wanted = 'auto' }: VerifyFlags,
  { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
): Promise<VerifyReport | ProgramReport> {
  const found = await findImage(source.dir, source.tag);
  const settings =
    config === undefined ? undefined : await loadSettings({ configFile: config, flags: {}, cwd: process.cwd() });
  const plan = planVerification(await readVerifiedImage(source, found), settings);
  const image = await composeLayoutImage(source.dir, found.manifest, found.config);
  await using work = await openWorkFolder();
  const cacheDir = await makeFolder(cacheFolder());
  const nativeDir = nativeFolder();
  const engine = await connectEngine(wanted, { cacheDir, nativeDir, signal, environment: process.env });
  report({ type: 'stage-progress', stage: 'verify', text: engine.description });
  const world = { engine, report, signal, environment: process.env, workDir: work.path, cacheDir, nativeDir };
  const { answer } = plan.verify;
  try {
    if (answer === undefined) return await verifyProgram(plan, image, world);
    const server: VerifyServerPlan = { ...plan, verify: { ...plan.verify, answer } };
    return await verifyImage(server, image, world);
  } catch (error) {
    if (!isCracBuildError(error, 'VERIFY_FAILED')) throw error;
    const { message, cause, details } = error;
    throw new CracBuildError('VERIFY_FAILED', message, {
      hint: 'The container’s last lines are above. docs/restore.md says what they mean. An app that needs services, or other requests: --config.',
      cause,
      details,
    });
  }
}

function render({ place, digest, attached, started }: Verified): string {
  const { signedAs, sbom, provenance } = attached;
  const signed = (isSigned: boolean) => (isSigned ? ', signed' : ', not signed');
  const lines = [
    `${place} is valid`,
    `  ${digest}`,
    ...(signedAs === undefined ? [] : [`  signed as ${signedAs.join(', ')}`]),
    ...(sbom === undefined ? [] : [`  SBOM of ${sbom.components} components${signed(sbom.isSigned)}`]),
    ...(provenance === undefined ? [] : [`  provenance by ${provenance.builder}${signed(provenance.isSigned)}`]),
    ...(started === undefined
      ? ['  not started']
      : [
          `  restored in ${started.restoredMs.map(renderDuration).join(' and ')}, cold in ${renderDuration(started.coldMs)}`,
          `  as user ${started.profile.user}, no capability, read-only root, no new privileges`,
        ]),
  ];
  return `${lines.join('\n')}\n`;
}
