import { COSIGN } from '../attest/cosign-image.ts';
import type { Engine, LoadedImage } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { Artifact } from '../oci/artifact.ts';
import { attachToLayout } from '../oci/attach-to-layout.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import { composeDocuments } from '../oci/manifest.ts';
import { renderPlace } from '../oci/place.ts';
import { parseReference, renderReference } from '../oci/reference.ts';
import type { RegistryAccess } from '../oci/registry/access.ts';
import { checkArchiveTarget, stageArchive } from '../oci/write-archive.ts';
import { checkLayoutTarget, writeLayout } from '../oci/write-layout.ts';
import type { BuildPlan, Output } from '../plan/build-plan.ts';
import type { World } from '../world.ts';
import type { Attestations } from './attest.ts';
import { checkRegistries, pushToRegistries } from './publish-to-registries.ts';

/** What a build leaves behind. */
export interface BuiltImage {
  /** Of the manifest, "sha256:…". */
  readonly digest: string;
  /** Of the config: docker's image id. */
  readonly configDigest: string;
  /** "oci:DIR", "docker:NAME:TAG", "registry:HOST/NAME:TAG". */
  readonly references: readonly string[];
  readonly layers: readonly Pick<Layer, 'kind' | 'digest' | 'sizeBytes' | 'uncompressedBytes'>[];
  /** SBOM, provenance, signatures: manifests beside the image. */
  readonly attached: readonly { readonly title: string; readonly digest: string }[];
  readonly sizeBytes: number;
}

/** The name of an image inside an `oci:` folder where none is given. */
const LAYOUT_TAG = 'latest';
const NONE: Attestations = { artifacts: [], signFor: async () => [] };

/**
 * Writes every output, or leaves the engine and archives as they were: what was loaded into it is removed again, and what was
 * written beside an archive too, unless all outputs could be written. In registries the image has no name until everything else
 * is done.
 */
export async function publishImage(
  plan: BuildPlan,
  image: OciImage,
  world: World,
  attestations: Attestations = NONE,
): Promise<BuiltImage> {
  const { signal } = world;
  const { manifestDigest, configDigest } = composeDocuments(image);
  const hasLayout = plan.outputs.some(({ kind }) => kind === 'oci');
  const beside = hasLayout ? [...attestations.artifacts, ...(await attestations.signFor(plan.name))] : [];
  const attached: Artifact[] = [];
  const staged: (AsyncDisposable & { readonly keep: () => unknown })[] = [];
  try {
    for (const output of plan.outputs) {
      if (output.kind === 'docker') staged.push(await loadIntoDocker(image, output.reference, world));
      if (output.kind === 'docker-archive')
        staged.push(await stageArchive(image, output.file, output.reference && renderTagged(output.reference), signal));
    }
    await using pushed = await pushToRegistries(plan, image, attestations, world);
    for (const output of plan.outputs) {
      if (output.kind !== 'oci') continue;
      await writeLayout(image, output.dir, output.tag ?? LAYOUT_TAG, signal);
      // What belongs to it is written whatever is asked for now: the image is there.
      await attachToLayout(output.dir, manifestDigest, beside, markSigned(beside));
    }
    // From here on it is published, whatever is asked for now.
    if (!hasLayout) signal.throwIfAborted();
    await pushed.tag();
    attached.push(...beside, ...pushed.attached);
    for (const each of staged) await each.keep();
  } finally {
    for (const each of staged) await each[Symbol.asyncDispose]();
  }
  return {
    digest: manifestDigest,
    configDigest,
    references: plan.outputs.map(renderPlace),
    layers: image.layers.map(({ kind, digest, sizeBytes, uncompressedBytes }) => ({
      kind,
      digest,
      sizeBytes,
      uncompressedBytes,
    })),
    attached: nameEach(attached),
    sizeBytes: image.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
  };
}

/** Each once: most are the same in all outputs. */
function nameEach(artifacts: readonly Artifact[]): BuiltImage['attached'] {
  const byDigest = new Map(artifacts.map(({ title, manifestDigest }) => [manifestDigest, title]));
  return [...byDigest].map(([digest, title]) => ({ title, digest }));
}

/** `cosign verify --local-image` looks for the image by this. */
function markSigned(beside: readonly Artifact[]): Readonly<Record<string, string>> {
  return beside.some(({ annotations }) => annotations?.[COSIGN.kind] !== undefined)
    ? { [COSIGN.kind]: COSIGN.kinds.image }
    : {};
}

/** What can be known of the outputs before anything is made: a build of minutes must not end at a wrong folder. */
export async function checkOutputs(
  outputs: readonly Output[],
  engine: Pick<Engine, 'name' | 'description'>,
  access: RegistryAccess,
): Promise<void> {
  for (const output of outputs) {
    if (output.kind === 'oci') await checkLayoutTarget(output.dir);
    if (output.kind === 'registry') parseReference(output.reference);
    if (output.kind === 'docker') {
      renderTagged(output.reference);
      requireDocker(output.reference, engine);
    }
    if (output.kind === 'docker-archive') {
      if (output.reference !== undefined) renderTagged(output.reference);
      await checkArchiveTarget(output.file);
    }
  }
  await checkRegistries(outputs, access);
}

function requireDocker(reference: string, engine: Pick<Engine, 'name' | 'description'>): void {
  if (engine.name === 'docker') return;
  throw new CracBuildError(
    'PUBLISH_FAILED',
    `docker:${reference} needs Docker, but the engine is ${engine.description}`,
    { hint: 'Use an `oci:DIR` output, or build with `--engine docker`: it says why Docker does not answer.' },
  );
}

async function loadIntoDocker(image: OciImage, reference: string, world: World): Promise<LoadedImage> {
  requireDocker(reference, world.engine);
  return await world.engine.loadImage(image, renderTagged(reference), world.signal);
}

/** With its tag: what is loaded has no name without one, and its digest is what it is. */
function renderTagged(text: string): string {
  const reference = parseReference(text);
  if (reference.digest === undefined) return renderReference(reference);
  throw new CracBuildError('USAGE', `an image cannot be written as ${text}: a digest is of what there is already`, {
    hint: 'Write NAME:TAG.',
  });
}
