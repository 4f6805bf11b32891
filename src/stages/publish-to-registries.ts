import { CracBuildError } from '../errors.ts';
import type { Artifact } from '../oci/artifact.ts';
import type { OciImage } from '../oci/image.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import type { RegistryAccess } from '../oci/registry/access.ts';
import { checkPush } from '../oci/registry/check-push.ts';
import { placeRepository } from '../oci/registry/place-repository.ts';
import { pushArtifact } from '../oci/registry/push-artifact.ts';
import { pushImageBlobs, tagImage } from '../oci/registry/push-image.ts';
import { openRepository, type Repository, withSignal } from '../oci/registry/repository.ts';
import type { BuildPlan, Output } from '../plan/build-plan.ts';
import { openBytesReport } from '../report/report-bytes.ts';
import type { World } from '../world.ts';
import type { Attestations } from './attest.ts';
import { outlive } from './outlive.ts';

/** A repository that the image goes to, and all its tags there. */
interface Target {
  readonly reference: Reference;
  readonly tags: readonly string[];
}

/** Nobody sees the image in any registry until `tag()`. */
export interface PushedImage extends AsyncDisposable {
  /** What is beside it in any of them. */
  readonly attached: readonly Artifact[];
  /** To its end, once it is begun: an interruption only limits how long that may take. */
  tag(): Promise<void>;
}

const TAG_LIMIT_MS = 30_000;

/** Whether the image may be pushed to where it is to go: registries, credentials, rights. */
export async function checkRegistries(outputs: readonly Output[], access: RegistryAccess): Promise<void> {
  for (const { reference } of planTargets(outputs)) await checkPush(reference, access);
}

/** Sends what the registries do not have. What goes to a second repository of a registry is not sent again. */
export async function pushToRegistries(
  { outputs, insecureRegistries, base }: Pick<BuildPlan, 'outputs' | 'insecureRegistries' | 'base'>,
  image: OciImage,
  attestations: Attestations,
  { environment, signal, report }: Pick<World, 'environment' | 'signal' | 'report'>,
): Promise<PushedImage> {
  const access = { environment, insecureHosts: insecureRegistries, signal };
  const pushed: { readonly repository: Repository; readonly tags: readonly string[] }[] = [];
  const attached: Artifact[] = [];
  const dispose = async () => {
    for (const { repository } of pushed) await repository[Symbol.asyncDispose]();
  };
  try {
    for (const { reference, tags } of planTargets(outputs)) {
      const repository = await openRepository(reference, 'pull,push', access);
      const known = pushed.map((each) => ({ host: each.repository.host, repository: each.repository.name }));
      const origin = base.kind === 'image' && base.registry !== undefined ? [base.registry] : [];
      const mountFrom = [...known, ...origin].flatMap((each) =>
        each.host === repository.host ? [each.repository] : [],
      );
      pushed.push({ repository, tags });
      const onProgress = openBytesReport(report, 'publish', 'pushed', `${repository.host}/${repository.name}`);
      await pushImageBlobs(repository, image, { mountFrom, onProgress });
      const signatures = await attestations.signFor(`${repository.host}/${repository.name}`);
      for (const artifact of [...attestations.artifacts, ...signatures])
        attached.push(await pushArtifact(repository, artifact));
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  const tag = async () => {
    using outliving = outlive(signal, TAG_LIMIT_MS);
    for (const { repository, tags } of pushed)
      for (const each of tags) await tagImage(withSignal(repository, outliving.signal), image, each);
  };
  return { attached, tag, [Symbol.asyncDispose]: dispose };
}

function planTargets(outputs: readonly Output[]): readonly Target[] {
  const targets = new Map<string, { reference: Reference; tags: string[] }>();
  for (const output of outputs) {
    if (output.kind !== 'registry') continue;
    const reference = parseReference(output.reference);
    const { host, name } = placeRepository(reference);
    const target = targets.get(`${host}/${name}`) ?? { reference, tags: [] };
    target.tags.push(requireTag(reference, output.reference));
    targets.set(`${host}/${name}`, target);
  }
  return [...targets.values()];
}

function requireTag({ tag, digest }: Reference, text: string): string {
  if (tag !== undefined && digest === undefined) return tag;
  throw new CracBuildError('USAGE', `an image cannot be pushed to a digest: ${text}`, {
    hint: 'Give the tag that it is to have: registry:HOST/NAME:TAG.',
  });
}
