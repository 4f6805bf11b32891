import type { Command } from 'commander';
import { CracBuildError } from '../errors.ts';
import { listImages, renderPlatform } from '../oci/find-images.ts';
import { PLACE_FORMS } from '../oci/place.ts';
import { validateLayout } from '../oci/validate.ts';
import { addInsecureFlag, type InsecureFlag } from './insecure-flag.ts';
import { openTarget } from './open-target.ts';
import type { CommandResult } from './run-command.ts';

export interface ValidateFlags extends InsecureFlag {
  readonly json?: boolean;
}

export function addValidateFlags(command: Command): Command {
  return addInsecureFlag(command)
    .argument('<image>', `${PLACE_FORMS}, or a folder with an image layout; without a name all images in it`)
    .option('--json', 'print one JSON object');
}

/** Reads all of an image. IMAGE_INVALID with everything that is wrong with it. */
export async function runValidate(
  image: string,
  signal: AbortSignal,
  { insecure }: ValidateFlags = {},
): Promise<CommandResult> {
  await using target = await openTarget(image, signal, insecure);
  if (target.kind === 'files')
    throw new CracBuildError('INPUT_NOT_FOUND', `${image} is no image`, { hint: `Give one as ${PLACE_FORMS}.` });
  const { place, dir, tag } = target.source;
  const problems = await validateLayout(dir, tag, { signal });
  if (problems.length > 0)
    throw new CracBuildError('IMAGE_INVALID', `${place} is not valid`, {
      hint: 'Build it again, or copy it again from where it came.',
      details: problems,
    });
  const images = (await listImages(dir, tag)).map(({ descriptor, platform, manifest, tag: name }) => ({
    ...(name !== undefined && { tag: name }),
    digest: descriptor.digest,
    platform: renderPlatform(platform),
    layers: manifest.layers.length,
  }));
  const lines = images.map(({ tag: name, digest, platform, layers }) =>
    [`  ${digest}`, platform, `${layers} layers`, ...(name === undefined ? [] : [name])].join('  '),
  );
  return { text: `${place} is valid\n${lines.join('\n')}\n`, json: { ok: true, place, images } };
}
