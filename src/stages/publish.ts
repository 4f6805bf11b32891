import { COSIGN } from '../attest/cosign-image.ts';
import type { Engine, LoadedImage } from '../engine/engine.ts';
import { CracBuildError } from '../errors.ts';
import type { Artifact } from '../oci/artifact.ts';
import { attachToLayout } from '../oci/attach-to-layout.ts';
import type { Layer, OciImage } from '../oci/image.ts';
import { composeDocuments } from '../oci/manifest.ts';
import { parseReference, renderReference } from '../oci/reference.ts';
import type { RegistryAccess } from '../oci/registry/access.ts';
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

const NONE: Attestations = { artifacts: [], signFor: async () => [] };

/** The name of the image inside an `oci:` folder. */
const LAYOUT_TAG = 'latest';

/**
 * Writes every output, or leaves the engine as it was: what was loaded into it is removed again unless all outputs were
 * written. In registries the image has no name until everything else is done.
 */
export async function publishImage(
  plan: BuildPlan,
  image: OciImage,
  world: World,
  attestations: Attestations = NONE,
): Promise<BuiltImage> {
  const { manifestDigest, configDigest } = composeDocuments(image);
  const hasLayout = plan.outputs.some(({ kind }) => kind === 'oci');
  const beside = hasLayout ? [...attestations.artifacts, ...(await attestations.signFor(plan.name))] : [];
  const loaded: LoadedImage[] = [];
  const attached: Artifact[] = [];
  try {
    for (const output of plan.outputs) {
      if (output.kind === 'docker') loaded.push(await loadIntoDocker(image, output.reference, world));
    }
    await using pushed = await pushToRegistries(plan, image, attestations, world);
    for (const output of plan.outputs) {
      if (output.kind !== 'oci') continue;
      await writeLayout(image, output.dir, LAYOUT_TAG, world.signal);
      // What belongs to it is written whatever is asked for now: the image is there.
      await attachToLayout(output.dir, manifestDigest, beside, markSigned(beside));
    }
    // From here on it is published, whatever is asked for now.
    if (!hasLayout) world.signal.throwIfAborted();
    await pushed.tag();
    attached.push(...beside, ...pushed.attached);
    for (const each of loaded) each.keep();
  } finally {
    for (const each of loaded) await each[Symbol.asyncDispose]();
  }
  return {
    digest: manifestDigest,
    configDigest,
    references: plan.outputs.map(renderOutput),
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
    if (output.kind === 'oci') {
      await checkLayoutTarget(output.dir);
    } else {
      parseReference(output.reference);
      if (output.kind === 'docker') requireDocker(output.reference, engine);
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
  return await world.engine.loadImage(image, renderReference(parseReference(reference)), world.signal);
}

function renderOutput(output: Output): string {
  return output.kind === 'oci' ? `oci:${output.dir}` : `${output.kind}:${output.reference}`;
}
