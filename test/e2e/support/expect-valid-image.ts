import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findImage } from '../../../src/oci/find-images.ts';
import { parsePlace } from '../../../src/oci/place.ts';
import { type Problems, validateLayout } from '../../../src/oci/validate.ts';

const run = promisify(execFile);
/** The base of most builds of a file is the same; skopeo reads each copy of it. */
const known: Problems = new Map();

/** Throws unless our validator, and skopeo as an independent one, find the image of an `oci:` place in order, and see the same in it. */
export async function expectValidImage(reference: string): Promise<void> {
  const place = parsePlace(reference);
  if (place?.kind !== 'oci') throw new Error(`${reference} is no layout`);
  const { dir, tag = 'latest' } = place;
  const problems = await validateLayout(dir, tag, { problems: known });
  if (problems.length > 0) throw new Error(`${reference} is not valid:\n${problems.join('\n')}`);
  const source = `oci:${dir}:${tag}`;
  const { descriptor, manifest, config, platform } = await findImage(dir, tag);
  const told = JSON.parse((await run('skopeo', ['inspect', source])).stdout);
  expect({ digest: told.Digest, layers: told.Layers, labels: told.Labels, architecture: told.Architecture }).toEqual({
    digest: descriptor.digest,
    layers: manifest.layers.map(({ digest }) => digest),
    labels: config.config?.Labels,
    architecture: platform.architecture,
  });
  // Copying, it compares every blob with its digest, and every layer with its diff_id.
  const copy = await mkdtemp(join(tmpdir(), 'crac-skopeo-'));
  try {
    await run('skopeo', ['copy', '--quiet', '--insecure-policy', source, `dir:${copy}`]);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
