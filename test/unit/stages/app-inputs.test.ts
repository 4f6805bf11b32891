import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspectSource } from '../../../src/jar/inspect-source.ts';
import { digestOf } from '../../../src/oci/blob-store.ts';
import { readAppInputs } from '../../../src/stages/app-inputs.ts';
import { MAIN, makeClass } from '../jar/class-file.ts';
import { makeZip } from '../jar/make-zip.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'app-inputs-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function put(path: string, content: Buffer): Promise<string> {
  const whole = join(dir, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, content);
  return whole;
}

test('of a class path all its jars are told, and no folder', async () => {
  const own = makeZip({ 'shop/Main.class': makeClass('shop.Main', MAIN) });
  const [one, other] = [makeZip({ a: 'one' }), makeZip({ a: 'other' })];
  const classPath = [await put('shop.jar', own), await put('one/a.jar', one), await put('two/a.jar', other)];
  await mkdir(join(dir, 'conf'));
  const source = await inspectSource({ classPath: [...classPath, join(dir, 'conf')], mainClass: 'shop.Main' });
  expect(await readAppInputs(source)).toEqual({
    ...{ 'a.jar': digestOf(one), 'a-2.jar': digestOf(other), 'shop.jar': digestOf(own) },
  });
});

test('of a jar the jar, of a folder or an image nothing', async () => {
  const content = makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: shop.Main\n\n' });
  const jar = await put('shop-1.jar', content);
  expect(await readAppInputs(await inspectSource({ jar }))).toEqual({ 'shop-1.jar': digestOf(content) });
  await put('classes/shop/Main.class', makeClass('shop.Main', MAIN));
  const folder = await inspectSource({ jar: join(dir, 'classes'), mainClass: 'shop.Main' });
  expect(await readAppInputs(folder)).toEqual({});
  expect(await readAppInputs(undefined)).toEqual({});
});
