import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openDockerSave } from '../engine/docker-export.ts';
import { importArchive, openArchiveFile } from '../oci/import-archive.ts';
import { type ImagePlace, renderPlace } from '../oci/place.ts';
import { pullSource } from './pull-source.ts';

/** An image as part of an image layout. */
export interface ImageSource {
  /** For people: "docker:REFERENCE", "oci:DIR:TAG", or a layout's folder. */
  readonly place: string;
  readonly dir: string;
  /** Absent: whatever is in the layout. */
  readonly tag?: string;
}

/** Where the image is no layout, one is made of it below `workDir`. */
export async function openSource(
  place: ImagePlace,
  world: {
    readonly workDir: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly signal: AbortSignal;
    /** Hosts of registries that may do without TLS. */
    readonly insecureHosts?: readonly string[];
  },
): Promise<ImageSource> {
  const { signal } = world;
  const name = renderPlace(place);
  if (place.kind === 'oci') {
    const { dir, tag } = place;
    return tag === undefined ? { place: dir, dir } : { place: name, dir, tag };
  }
  const dir = join(world.workDir, `source-${randomUUID()}`);
  await mkdir(dir, { recursive: true });
  if (place.kind === 'registry') {
    const access = { environment: world.environment, insecureHosts: world.insecureHosts ?? [], signal };
    await pullSource(place.reference, dir, { cacheDir: join(world.workDir, 'pulled'), access });
  } else if (place.kind === 'docker') {
    const archive = await openDockerSave(place.reference, world.environment, signal);
    await importArchive(archive, dir, { place: name, signal });
  } else {
    await importArchive(await openArchiveFile(place.file), dir, {
      place: place.file,
      reference: place.reference,
      signal,
    });
  }
  return { place: name, dir };
}
