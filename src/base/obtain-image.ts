import { mkdir } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { saveDockerImage } from '../engine/docker-save.ts';
import type { LayerStore } from '../oci/adopt-layer.ts';
import type { Compression } from '../oci/image.ts';
import { readDockerArchive, requireArchive } from '../oci/read-docker-archive.ts';
import { adoptImage, readSourceLayout } from '../oci/read-source-layout.ts';
import { pullImage } from '../oci/registry/pull-image.ts';
import type { SourceImage } from '../oci/source-image.ts';
import type { Report } from '../report/event.ts';
import { openBytesReport } from '../report/report-bytes.ts';

/** Where an image comes from; `config/words.ts` parses it. */
export type ImageAddress =
  | { readonly kind: 'oci'; readonly dir: string; readonly name?: string }
  | { readonly kind: 'docker-archive'; readonly file: string }
  | { readonly kind: 'docker'; readonly reference: string }
  | { readonly kind: 'registry'; readonly reference: string };

export interface ImageAccess extends LayerStore {
  /** A private folder of this run. */
  readonly workDir: string;
  /** Of what has to be compressed. */
  readonly compression: Compression;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** "HOST" or "HOST:PORT" of registries whose certificates are not checked. */
  readonly insecureHosts: readonly string[];
  readonly report: Report;
}

/** Node's names → OCI's. */
export const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Brings an image's layers into `blobDir`, byte for byte where they are compressed. */
export async function obtainImage(address: ImageAddress, access: ImageAccess): Promise<SourceImage> {
  const { workDir, compression, environment, signal } = access;
  await mkdir(join(access.blobDir, 'sha256'), { recursive: true });
  const tell = (text: string) => access.report({ type: 'stage-progress', stage: 'plan', text });
  switch (address.kind) {
    case 'oci':
      return await readSourceLayout(address.dir, address.name, compression, access);
    case 'docker-archive':
      await requireArchive(address.file);
      return await readDockerArchive(address.file, workDir, compression, access);
    case 'docker': {
      tell(`taking ${address.reference} from Docker`);
      const file = join(workDir, 'docker-image.tar');
      await saveDockerImage(address.reference, file, environment, signal);
      return await readDockerArchive(file, workDir, compression, access);
    }
    case 'registry': {
      const { reference } = address;
      tell(`pulling ${reference}`);
      const pulled = await pullImage({
        reference,
        cacheDir: access.cacheDir,
        access: { environment, insecureHosts: access.insecureHosts, signal },
        onProgress: openBytesReport(access.report, 'plan', 'pulled', reference),
        platform: { os: 'linux', architecture: ARCHITECTURES[arch()] ?? arch() },
      });
      const image = await adoptImage({ ...pulled, where: reference }, compression, access);
      return { ...image, registry: { host: pulled.host, repository: pulled.repository } };
    }
  }
}
