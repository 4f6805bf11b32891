import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readTar } from '../tar/read-tar.ts';
import { openBlob, openDigestMeter } from './blob-store.ts';
import { openDecompressor } from './compression.ts';
import { type ReadDescriptor, readConfig, readLayoutIndex, readManifest } from './read-layout.ts';
import { compressionOf, MEDIA_TYPES, REF_NAME } from './spec.ts';

/**
 * What is wrong with an image layout, as sentences; empty when all is well. Everything that a digest or a size is given
 * for is read and compared: blobs, uncompressed layers, and the tars inside (sorted, no path twice, parents first).
 */
export async function validateLayout(dir: string): Promise<readonly string[]> {
  const problems: string[] = [];
  const index = await readLayoutIndex(dir);
  const names = index.manifests
    .filter(({ artifactType }) => artifactType === undefined)
    .map((entry) => entry.annotations?.[REF_NAME]);
  if (new Set(names).size !== names.length) problems.push('index.json has a name twice');
  for (const descriptor of index.manifests) {
    if (descriptor.mediaType !== MEDIA_TYPES.manifest) problems.push(`unknown media type ${descriptor.mediaType}`);
    else if (descriptor.artifactType !== undefined) problems.push(...(await validateArtifact(dir, descriptor)));
    else problems.push(...(await validateManifest(dir, descriptor)));
  }
  return problems;
}

/** What says something of an image: blobs, and no layers of files. */
async function validateArtifact(dir: string, descriptor: ReadDescriptor): Promise<readonly string[]> {
  const problems = [...(await validateBlob(dir, descriptor))];
  const { config, layers } = await readManifest(dir, descriptor.digest);
  for (const blob of [config, ...layers]) problems.push(...(await validateBlob(dir, blob)));
  return problems;
}

async function validateManifest(dir: string, descriptor: ReadDescriptor): Promise<readonly string[]> {
  const problems = [...(await validateBlob(dir, descriptor))];
  const manifest = await readManifest(dir, descriptor.digest);
  problems.push(...(await validateBlob(dir, manifest.config)));
  const { rootfs } = await readConfig(dir, manifest.config.digest);
  if (rootfs.diff_ids.length !== manifest.layers.length) {
    problems.push(`${rootfs.diff_ids.length} diff_ids for ${manifest.layers.length} layers`);
  }
  for (const [position, layer] of manifest.layers.entries()) {
    problems.push(...(await validateBlob(dir, layer)));
    problems.push(...(await validateLayer(dir, layer, rootfs.diff_ids[position])));
  }
  return problems;
}

async function validateBlob(dir: string, { digest, size }: ReadDescriptor): Promise<readonly string[]> {
  const meter = openDigestMeter();
  meter.stream.resume();
  try {
    await pipeline(openBlob(join(dir, 'blobs'), digest), meter.stream);
  } catch (error) {
    return [`${digest}: ${(error as Error).message}`];
  }
  const found = meter.takeBlob();
  return [
    ...(found.digest === digest ? [] : [`${digest} has the content of ${found.digest}`]),
    ...(found.sizeBytes === size ? [] : [`${digest} has ${found.sizeBytes} bytes instead of ${size}`]),
  ];
}

async function validateLayer(
  dir: string,
  layer: ReadDescriptor,
  diffId: string | undefined,
): Promise<readonly string[]> {
  const compression = compressionOf(layer.mediaType);
  if (compression === undefined) return [`${layer.digest} has the media type ${layer.mediaType}`];
  const meter = openDigestMeter();
  const tar = new PassThrough();
  const blob = openBlob(join(dir, 'blobs'), layer.digest);
  const unpacked = pipeline(blob, openDecompressor(compression), meter.stream, tar);
  try {
    const [problems] = await Promise.all([validateTar(tar), unpacked]);
    const found = meter.takeBlob().digest;
    return [...problems, ...(found === diffId ? [] : [`${layer.digest} unpacks to ${found} instead of ${diffId}`])];
  } catch (error) {
    return [`${layer.digest} cannot be unpacked: ${(error as Error).message}`];
  }
}

async function validateTar(tar: Readable): Promise<readonly string[]> {
  const problems: string[] = [];
  const seen = new Set<string>();
  let last = '';
  for await (const { header } of readTar(tar)) {
    if (seen.has(header.path)) problems.push(`${header.path} is there twice`);
    if (header.type === 'link' && !seen.has(header.target ?? ''))
      problems.push(`${header.path} links to what comes later`);
    if (header.type !== 'link') {
      if (Buffer.compare(Buffer.from(header.path), Buffer.from(last)) < 0)
        problems.push(`${header.path} comes too late`);
      last = header.path;
    }
    seen.add(header.path);
  }
  return problems;
}
