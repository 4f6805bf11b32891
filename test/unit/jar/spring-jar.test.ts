import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { inspectSource } from '../../../src/jar/inspect-source.ts';
import { parseManifest } from '../../../src/jar/manifest.ts';
import { readZip, readZipEntry } from '../../../src/jar/read-zip.ts';
import { composeThinManifest, writeThinJar } from '../../../src/jar/thin-jar.ts';
import type { BuildPlan } from '../../../src/plan/build-plan.ts';
import { planSource } from '../../../src/plan/plan-source.ts';
import { readAppLayers } from '../../../src/stages/app-layer.ts';
import { makeZip } from './make-zip.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'spring-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const MANIFEST = [
  'Manifest-Version: 1.0',
  'Main-Class: org.springframework.boot.loader.launch.JarLauncher',
  'Start-Class: shop.Shop',
  'Spring-Boot-Version: 4.0.1',
  'Spring-Boot-Classes: BOOT-INF/classes/',
  'Spring-Boot-Layers-Index: BOOT-INF/layers.idx',
  'Add-Opens: java.base/java.lang',
  '',
  'Name: shop/',
  'Sealed: true',
  '',
].join('\r\n');

const FILES = {
  'META-INF/MANIFEST.MF': MANIFEST,
  'META-INF/services/java.nio.file.spi.FileSystemProvider':
    'org.springframework.boot.loader.nio.file.NestedFileSystemProvider',
  'META-INF/SHOP.SF': 'signed',
  'META-INF/aop.xml': 'outside',
  'org/springframework/boot/loader/launch/JarLauncher.class': 'loader',
  'BOOT-INF/classes/shop/Shop.class': 'shop',
  'BOOT-INF/classes/application.properties': 'a=b',
  'BOOT-INF/classes/META-INF/aop.xml': 'inside',
  'BOOT-INF/lib/b-1.0.jar': 'bbb',
  'BOOT-INF/lib/a-2.0-SNAPSHOT.jar': 'aa',
  'BOOT-INF/lib/c 3.jar': 'c',
  'BOOT-INF/lib/spring-boot-jarmode-tools-4.0.1.jar': 'tools',
  'BOOT-INF/classpath.idx': '- "BOOT-INF/lib/c 3.jar"\n- "BOOT-INF/lib/b-1.0.jar"\n',
};

function putJar(files: Readonly<Record<string, string>>): string {
  const path = join(dir, 'shop-1.2.jar');
  writeFileSync(path, makeZip(files));
  return path;
}

async function readJar(path: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of readZip(path)) files.set(entry.name, (await readZipEntry(entry)).toString());
  return files;
}

test('without layers.idx: libraries by their names, snapshots and own classes above them', async () => {
  const jar = putJar(FILES);
  expect(await inspectSource({ jar })).toEqual({
    title: 'a Spring Boot jar, taken apart by the names of its libraries',
    path: jar,
    name: 'shop-1.2.jar',
    start: { kind: 'jar' },
    layers: [
      {
        name: 'dependencies',
        kind: 'dependencies',
        parts: [{ kind: 'entries', from: jar, entries: ['BOOT-INF/lib/b-1.0.jar', 'BOOT-INF/lib/c 3.jar'], to: 'lib' }],
      },
      {
        name: 'snapshot-dependencies',
        kind: 'dependencies',
        parts: [{ kind: 'entries', from: jar, entries: ['BOOT-INF/lib/a-2.0-SNAPSHOT.jar'], to: 'lib' }],
      },
      {
        name: 'application',
        kind: 'app',
        parts: [
          {
            kind: 'thin-jar',
            from: jar,
            classPath: ['lib/c 3.jar', 'lib/b-1.0.jar', 'lib/a-2.0-SNAPSHOT.jar'],
            to: '{main}.jar',
          },
        ],
      },
    ],
    analysed: { paths: [jar], nested: true },
  });
});

test('layers.idx: its layers and their order; an exact path beats a folder, and a layer without anything is none', async () => {
  const index = [
    '- "dependencies":',
    '  - "BOOT-INF/lib/"',
    '- "spring-boot-loader":',
    '  - "org/"',
    '- "company-dependencies":',
    '  - "BOOT-INF/lib/c 3.jar"',
    '- "snapshot-dependencies":',
    '- "application":',
    '  - "BOOT-INF/classes/"',
    '  - "BOOT-INF/lib/a-2.0-SNAPSHOT.jar"',
    '  - "META-INF/"',
  ];
  const jar = putJar({ ...FILES, 'BOOT-INF/layers.idx': index.join('\n') });
  const { title, layers } = await inspectSource({ jar });
  expect(title).toBe('a Spring Boot jar, taken apart as its BOOT-INF/layers.idx says');
  expect(
    layers.map(({ name, kind, parts }) => [
      name,
      kind,
      ...parts.map((part) => ('entries' in part ? part.entries : part.kind)),
    ]),
  ).toEqual([
    ['dependencies', 'dependencies', ['BOOT-INF/lib/b-1.0.jar']],
    ['company-dependencies', 'dependencies', ['BOOT-INF/lib/c 3.jar']],
    ['application', 'app', ['BOOT-INF/lib/a-2.0-SNAPSHOT.jar'], 'thin-jar'],
  ]);
});

test('a layers.idx that is none is told, with the way around it', async () => {
  const jar = putJar({ ...FILES, 'BOOT-INF/layers.idx': 'dependencies: [' });
  await expect(inspectSource({ jar })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `BOOT-INF/layers.idx in ${jar} is no list of layers`,
    hint: expect.stringContaining('--no-extract'),
  });
  expect(await inspectSource({ jar, extract: false })).toMatchObject({ title: 'a jar with jars in it, kept whole' });
});

test.each([
  ['PropertiesLauncher', MANIFEST.replace('JarLauncher', 'PropertiesLauncher')],
  ['no Start-Class', MANIFEST.replace('Start-Class', 'Other-Class')],
])('kept whole: %s', async (_, manifest) => {
  const jar = putJar({ ...FILES, 'META-INF/MANIFEST.MF': manifest });
  expect((await inspectSource({ jar })).layers).toEqual([
    { name: 'application', kind: 'app', parts: [{ kind: 'file', from: jar, to: '{main}.jar' }] },
  ]);
});

test('an older JarLauncher is known, too', async () => {
  const manifest = MANIFEST.replace('.launch.', '.');
  expect((await inspectSource({ jar: putJar({ ...FILES, 'META-INF/MANIFEST.MF': manifest }) })).layers).toHaveLength(3);
});

test('the thin jar: classes at its root with their folders, no loader and no signature, and what lay on the class path', async () => {
  const target = join(dir, 'thin.jar');
  await writeThinJar(putJar(FILES), ['lib/a.jar'], target);
  const files = await readJar(target);
  expect([...files.keys()]).toEqual([
    'META-INF/MANIFEST.MF',
    'META-INF/aop.xml',
    'application.properties',
    'shop/Shop.class',
  ]);
  expect(files.get('META-INF/aop.xml')).toBe('inside');
  /** Searches for the classes of a package begin at its folder. */
  expect(readFileSync(target).includes('shop/PK')).toBe(true);
});

test('the thin jar is the same whatever the order and the time zone', async () => {
  const write = async (files: Readonly<Record<string, string>>, zone: string) => {
    const before = process.env['TZ'];
    process.env['TZ'] = zone;
    try {
      await writeThinJar(putJar(files), ['lib/a.jar'], join(dir, 'thin.jar'));
      return readFileSync(join(dir, 'thin.jar'));
    } finally {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    }
  };
  const one = await write(FILES, 'UTC');
  const other = await write(Object.fromEntries(Object.entries(FILES).reverse()), 'America/Los_Angeles');
  expect(one.equals(other)).toBe(true);
});

test('its manifest starts the app with its libraries, in lines of 72 bytes, and keeps what else it says of the whole', () => {
  const names = Array.from({ length: 9 }, (_, index) => `lib/library #${index} of 100%.jar`);
  const text = composeThinManifest(MANIFEST, names);
  for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(72);
  expect(Object.fromEntries(parseManifest(text))).toEqual({
    'manifest-version': '1.0',
    'main-class': 'shop.Shop',
    'class-path': names.map((_, index) => `lib/library%20%23${index}%20of%20100%25.jar`).join(' '),
    'spring-boot-version': '4.0.1',
    'add-opens': 'java.base/java.lang',
  });
});

test('libraries come from where they lie in the jar, compressed ones are unpacked, and equal inputs give equal layers', async () => {
  const jar = putJar(FILES);
  const { source } = planSource(await inspectSource({ jar }), 'shop', '/app');
  const plan = { app: { source, folder: '/app', user: { uid: 1, gid: 1 }, workingDir: '/app' }, base: { kind: 'jdk' } };
  const [first, , last] = await readAppLayers(plan as BuildPlan, join(dir, 'work'));
  const library = first?.entries.find(({ path }) => path === 'app/lib/b-1.0.jar');
  if (library?.type !== 'file' || Buffer.isBuffer(library.content)) throw new Error('no file');
  const { localPath, offset = 0, sizeBytes } = library.content;
  expect(localPath).toBe(jar);
  expect(
    readFileSync(jar)
      .subarray(offset, offset + sizeBytes)
      .toString(),
  ).toBe('bbb');
  expect(last?.entries.map(({ path }) => path)).toContain('app/shop.jar');

  writeFileSync(jar, compressEntry(FILES, 'BOOT-INF/lib/b-1.0.jar'));
  mkdirSync(join(dir, 'again'));
  const [compressed] = await readAppLayers(plan as BuildPlan, join(dir, 'again'));
  const unpacked = compressed?.entries.find(({ path }) => path === 'app/lib/b-1.0.jar');
  if (unpacked?.type !== 'file' || Buffer.isBuffer(unpacked.content)) throw new Error('no file');
  expect(readFileSync(unpacked.content.localPath, 'utf8')).toBe('bbb');
});

/** The same jar with one entry deflated: its headers say so, and what it was before. */
function compressEntry(files: Readonly<Record<string, string>>, name: string): Buffer {
  const text = files[name] ?? '';
  const bytes = makeZip({ ...files, [name]: deflateRawSync(Buffer.from(text)) });
  const checksum = makeZip({ x: text }).subarray(14, 18);
  for (const [signature, methodAt, nameAt] of [
    ['PK\x03\x04', 8, 30],
    ['PK\x01\x02', 10, 46],
  ] as const) {
    for (let at = bytes.indexOf(signature, 0, 'latin1'); at >= 0; at = bytes.indexOf(signature, at + 4, 'latin1')) {
      if (bytes.toString('utf8', at + nameAt, at + nameAt + name.length) !== name) continue;
      bytes.writeUInt16LE(8, at + methodAt);
      checksum.copy(bytes, at + methodAt + 6);
      bytes.writeUInt32LE(text.length, at + methodAt + 14);
    }
  }
  return bytes;
}
