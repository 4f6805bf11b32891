import { join } from 'node:path';
import type { ImageConfig, LayerCompression, OciImage } from '../../../src/oci/image.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { composeDirectory, composeFile } from '../../../src/tar/entry.ts';

export const SAMPLE_CONFIG: ImageConfig = {
  architecture: 'amd64',
  os: 'linux',
  user: '10001:10001',
  environment: { PATH: '/usr/bin', GREETING: 'a=b c' },
  entrypoint: ['/opt/crac/restore'],
  command: [],
  workingDir: '/app',
  ports: [8080],
  labels: { 'z.last': '1', 'a.first': '2' },
  stopSignal: 'SIGTERM',
};

/** A small image of two layers; `text` makes it another one. */
export async function makeSampleImage(
  dir: string,
  text = 'hello',
  compression: LayerCompression = 'gzip',
): Promise<OciImage> {
  const blobDir = join(dir, 'blobs');
  const baseEntries = [composeDirectory('etc'), composeFile('etc/os', Buffer.from('os'))];
  const appEntries = [composeDirectory('app'), composeFile('app/a.jar', Buffer.from(text))];
  const base = await writeLayer(blobDir, 'base', baseEntries, { compression });
  const app = await writeLayer(blobDir, 'app', appEntries, { compression });
  return { blobDir, layers: [base, app], config: SAMPLE_CONFIG };
}
