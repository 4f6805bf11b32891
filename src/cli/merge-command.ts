import { type Command, InvalidArgumentError } from 'commander';
import { CracBuildError } from '../errors.ts';
import { mergeImages } from '../oci/merge-images.ts';
import { type ImagePlace, PLACE_FORMS, parsePlace, renderPlace } from '../oci/place.ts';
import { checkLayoutTarget, writeToLayout } from '../oci/write-layout.ts';
import { openSource } from '../stages/open-source.ts';
import { addInsecureFlag, type InsecureFlag } from './insecure-flag.ts';
import { openWorkFolder } from './open-world.ts';
import type { CommandResult } from './run-command.ts';

export interface MergeFlags extends InsecureFlag {
  readonly output: readonly ImagePlace[];
  readonly json?: boolean;
}

const TAG = 'latest';

export function addMergeFlags(command: Command): Command {
  return addInsecureFlag(command)
    .argument('<source...>', `images that were built for different platforms, each ${PLACE_FORMS}`)
    .requiredOption('--output <where>', 'oci:DIR[:TAG]; can be given again', collectOutput)
    .option('--json', 'print one JSON object');
}

function collectOutput(text: string, before: readonly ImagePlace[] = []): readonly ImagePlace[] {
  const place = parsePlace(text);
  if (place?.kind !== 'oci')
    throw new InvalidArgumentError('Expected "oci:DIR[:TAG]": the others hold images of one platform.');
  return [...before, place];
}

/** One index of all images. Each must be whole, and for a platform of its own. */
export async function runMerge(
  sources: readonly string[],
  { output, insecure = [] }: MergeFlags,
  signal: AbortSignal,
): Promise<CommandResult> {
  const places = sources.map(parseSource);
  const outputs = output.flatMap((place) => (place.kind === 'oci' ? [place] : []));
  for (const { dir } of outputs) await checkLayoutTarget(dir);
  await using work = await openWorkFolder();
  const world = { workDir: work.path, environment: process.env, signal, insecureHosts: insecure };
  const opened = [];
  for (const place of places) opened.push(await openSource(place, world));
  const merged = await mergeImages(opened, signal);
  signal.throwIfAborted();
  for (const { dir, tag = TAG } of outputs) await writeToLayout(merged, dir, tag, signal);
  const { images, descriptor } = merged;
  const references = outputs.map(renderPlace);
  const lines = [
    ...references.map((reference) => `merged ${reference}`),
    `index ${descriptor.digest}`,
    ...images.map(({ platform, digest, place }) => `  ${platform.padEnd(14)} ${digest}  ${place}`),
  ];
  return { text: `${lines.join('\n')}\n`, json: { ok: true, digest: descriptor.digest, references, images } };
}

function parseSource(text: string): ImagePlace {
  const place = parsePlace(text);
  if (place !== undefined) return place;
  throw new CracBuildError('USAGE', `${text} is no image`, { hint: `Give each as ${PLACE_FORMS}.` });
}
