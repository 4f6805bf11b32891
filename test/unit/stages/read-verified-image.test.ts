import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findImage } from '../../../src/oci/find-images.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { writeLayout } from '../../../src/oci/write-layout.ts';
import { readVerifiedImage } from '../../../src/stages/read-verified-image.ts';
import { composeFile } from '../../../src/tar/entry.ts';
import { makeSampleImage } from '../oci/sample-image.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'verified-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Of an image of user 10001 and port 8080 with these facts. */
async function read(facts?: string) {
  const image = await makeSampleImage(dir);
  const layers =
    facts === undefined
      ? []
      : [
          await writeLayer(image.blobDir, 'checkpoint', [
            composeFile('opt/crac/checkpoint/facts.json', Buffer.from(facts)),
          ]),
        ];
  await writeLayout({ ...image, layers: [...image.layers, ...layers] }, join(dir, 'out'), 'latest');
  const source = { place: 'oci:out', dir: join(dir, 'out') };
  return await readVerifiedImage(source, await findImage(source.dir));
}

test('what the build asked is asked again; authorities that it knew are not here', async () => {
  const answer = { kind: 'http', port: 8443, path: '/up', status: 204, tls: { serverName: 'shop', insecure: false } };
  expect(await read(JSON.stringify({ name: 'shop', answer, more: 1 }))).toEqual({
    ...{ name: 'shop', user: { uid: 10_001, gid: 10_001 }, ports: [8080], isImageApp: false },
    answer: { ...answer, tls: { serverName: 'shop', insecure: true } },
  });
});

test('an app that was an image itself is told from others', async () => {
  expect(await read('{"name":"shop","isImageApp":true}')).toMatchObject({ isImageApp: true });
});

test('an older image is asked for a connection, a program for nothing', async () => {
  expect(await read('{"name":"shop"}')).toMatchObject({ answer: { kind: 'tcp', port: 8080 } });
  expect(await read('{"name":"batch","answer":null}')).not.toHaveProperty('answer');
});

test.each([
  ['no checkpoint', undefined],
  ['no JSON', '{'],
  ['an answer of no known kind', '{"name":"shop","answer":{"kind":"smoke"}}'],
])('%s', async (_, facts) => {
  await expect(read(facts)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
});
