import { join } from 'node:path';
import { composeAttestations, signImage } from '../attest/cosign-image.ts';
import { signEnvelope } from '../attest/envelope.ts';
import { composeProvenance } from '../attest/provenance.ts';
import { composeStatement, PREDICATES, STATEMENT_MEDIA_TYPE } from '../attest/statement.ts';
import { inspectJdk } from '../base/inspect-jdk.ts';
import { CracBuildError } from '../errors.ts';
import { type Artifact, composeReferrer } from '../oci/artifact.ts';
import { hashFile } from '../oci/blob-store.ts';
import type { OciImage } from '../oci/image.ts';
import type { Descriptor } from '../oci/spec.ts';
import { composeLayoutContent } from '../oci/write-layout.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import { composeSbom, SBOM_MEDIA_TYPE } from '../sbom/compose-sbom.ts';
import { readCopiedFrom } from '../sbom/copied-files.ts';
import { readImageContents } from '../sbom/image-contents.ts';
import { VERSION } from '../version.ts';
import type { World } from '../world.ts';
import { readAppInputs } from './app-inputs.ts';

/** What is said of an image beside it. */
export interface Attestations {
  /** For every output. */
  readonly artifacts: readonly Artifact[];
  /** The signature, as that of an image from the repository of that name; none where nothing is signed. */
  readonly signFor: (repository: string) => Promise<readonly Artifact[]>;
}

interface Statement {
  readonly title: string;
  readonly predicateType: string;
  readonly predicate: object;
  /** The form without a signature. */
  readonly artifactType: string;
  readonly content: Buffer;
}

/** Docker and its archives have no place for them. */
export function keepsAttestations({ outputs }: Pick<BuildPlan, 'outputs'>): boolean {
  return outputs.some(({ kind }) => kind === 'oci' || kind === 'registry');
}

/** What was asked for must have a place to go to. Provenance, which nobody needs to ask for, is left out where it has none. */
export function checkAttestations(plan: Pick<BuildPlan, 'outputs' | 'attestations'>): void {
  const { sbom, signing } = plan.attestations;
  if (keepsAttestations(plan) || (!sbom && signing === undefined)) return;
  throw new CracBuildError('CONFIG_INVALID', `${sbom ? 'an SBOM' : 'a signature'} has no place in any of the outputs`, {
    hint: 'Docker keeps nothing beside an image: add an output such as oci:DIR or registry:REFERENCE, or leave out --sbom and --sign-key.',
  });
}

/** SBOM and provenance as the plan wants them, signed where there is a key. Nothing is written anywhere. */
export async function attestImage(
  plan: BuildPlan,
  image: OciImage,
  startedOn: Date,
  world: World,
): Promise<Attestations> {
  const { attestations } = plan;
  const subject = describeManifest(image);
  const now = attestations.sourceDateMs === undefined ? new Date() : new Date(attestations.sourceDateMs);
  const statements = [
    ...(attestations.sbom ? [await listContents(plan, image, subject, now, world)] : []),
    ...(attestations.provenance
      ? [
          await tellProvenance(
            plan,
            image,
            subject,
            attestations.sourceDateMs === undefined ? startedOn : now,
            now,
            world,
          ),
        ]
      : []),
  ];
  const artifacts = statements.map(({ title, artifactType, predicateType, content }) =>
    composeReferrer({
      ...{ title, subject, artifactType, content },
      annotations: {
        'in-toto.io/predicate-type': predicateType,
        'org.opencontainers.image.created': now.toISOString(),
      },
    }),
  );
  const { signer } = world;
  if (signer === undefined) return { artifacts, signFor: async () => [] };
  const envelopes: { readonly predicateType: string; readonly envelope: Buffer }[] = [];
  for (const { predicateType, predicate } of statements) {
    const statement = composeStatement(plan.name, subject.digest, predicateType, predicate);
    const payload = Buffer.from(JSON.stringify(statement));
    envelopes.push({ predicateType, envelope: await signEnvelope(STATEMENT_MEDIA_TYPE, payload, signer) });
  }
  return {
    artifacts: [...artifacts, ...(envelopes.length === 0 ? [] : [composeAttestations(subject, envelopes)])],
    signFor: async (repository) => [await signImage(subject, repository, signer)],
  };
}

function describeManifest(image: OciImage): Descriptor {
  const { mediaType, digest, size } = composeLayoutContent(image).descriptor;
  return { mediaType, digest, size };
}

async function listContents(
  plan: BuildPlan,
  image: OciImage,
  { digest }: Descriptor,
  created: Date,
  world: World,
): Promise<Statement> {
  world.report({ type: 'stage-progress', stage: 'publish', text: 'listing what is in the image' });
  const contents = await readImageContents(image, join(world.workDir, 'sbom'), world.signal);
  const sbom = composeSbom({
    ...{ name: plan.name, imageDigest: digest, architecture: image.config.architecture, created, contents },
    // An image's own packages are listed by its own database.
    ...(plan.base.kind === 'jdk' && { copied: await readCopiedFrom(contents, plan.base.path, world.signal) }),
    builder: { version: VERSION, criuVersion: world.toolbox.criuVersion },
  });
  return {
    title: 'SBOM',
    predicateType: PREDICATES.sbom,
    predicate: JSON.parse(sbom) as object,
    artifactType: SBOM_MEDIA_TYPE,
    content: Buffer.from(sbom),
  };
}

async function tellProvenance(
  plan: BuildPlan,
  { layers }: OciImage,
  { digest }: Descriptor,
  startedOn: Date,
  finishedOn: Date,
  world: World,
): Promise<Statement> {
  const { version, vendor } = plan.base.kind === 'jdk' ? await inspectJdk(plan.base.path) : plan.base.jvm;
  const { criuCommand, criuVersion, dir } = world.toolbox;
  const criu = (criuCommand.at(-1) ?? '').replaceAll('{}', dir);
  const predicate = composeProvenance({
    ...{ plan, layers, startedOn, finishedOn, version: VERSION, engine: world.engine.description },
    inputs: await readAppInputs(plan.app.source),
    jdk: { version, vendor },
    criu: { version: criuVersion, digest: await hashFile(criu) },
  });
  const statement = composeStatement(plan.name, digest, PREDICATES.provenance, predicate);
  return {
    title: 'provenance',
    predicateType: PREDICATES.provenance,
    predicate,
    artifactType: STATEMENT_MEDIA_TYPE,
    content: Buffer.from(`${JSON.stringify(statement)}\n`),
  };
}
