import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Schema, Validator } from '@cfworker/json-schema';
import { digestOf } from '../../../src/oci/blob-store.ts';
import { writeLayer } from '../../../src/oci/layer.ts';
import { composeSbom, type SbomFacts } from '../../../src/sbom/compose-sbom.ts';
import { type ImageContents, readImageContents } from '../../../src/sbom/image-contents.ts';
import { composeFile } from '../../../src/tar/entry.ts';
import { makeZip } from '../jar/make-zip.ts';
import { SAMPLE_CONFIG } from '../oci/sample-image.ts';

const RELEASE =
  'IMPLEMENTOR="Shop"\nJAVA_VERSION="21.0.4"\nJAVA_RUNTIME_VERSION="21.0.4+7-LTS"\nMODULES="java.base java.logging"\n';
const STATUS = 'Package: zlib1g\nStatus: install ok installed\nVersion: 1:1.2.13\nArchitecture: amd64\nSource: zlib\n';
const H2 = makeZip({
  'META-INF/maven/com.h2/h2/pom.properties': 'version=2.2\n',
  'META-INF/maven/com.h2/h2/pom.xml':
    '<licenses><license><name>MIT</name></license><license><name>Own</name></license></licenses>',
});
const SHOP = makeZip({ 'META-INF/MANIFEST.MF': 'Main-Class: shop.Main\n', 'BOOT-INF/lib/h2-2.2.jar': H2 });

let dir: string;
let contents: ImageContents;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sbom-test-'));
  const blobDir = join(dir, 'blobs');
  const text = (path: string, content: string | Buffer) => composeFile(path, Buffer.from(content));
  const layers = [
    await writeLayer(blobDir, 'base', [
      text('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
      text('opt/java/lib/jrt-fs.jar', H2),
      text('opt/java/release', RELEASE),
      text('usr/lib/gone.jar', H2),
      text('usr/lib/libz.so', 'z'),
      text('var/lib/dpkg/status', STATUS),
    ]),
    await writeLayer(blobDir, 'app', [text('app/shop.jar', SHOP), text('usr/lib/.wh.gone.jar', '')]),
    await writeLayer(blobDir, 'runtime', [text('opt/crac/restore', 'r')]),
    await writeLayer(blobDir, 'checkpoint', [text('opt/crac/checkpoint/x.jar', H2)]),
  ];
  contents = await readImageContents({ blobDir, layers, config: SAMPLE_CONFIG }, dir, new AbortController().signal);
});
afterAll(() => rmSync(dir, { recursive: true }));

test('a hard link is what it leads to, under its own path', async () => {
  const blobDir = join(dir, 'linked-blobs');
  const facts = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0 };
  const link = { ...facts, type: 'link', path: 'app/second.jar', target: './app/shop.jar' } as const;
  const broken = { ...link, path: 'app/third.jar', target: 'app/none.jar' };
  const layers = [
    await writeLayer(blobDir, 'base', [composeFile('app/shop.jar', SHOP)]),
    await writeLayer(blobDir, 'app', [link, broken]),
  ];
  const image = { blobDir, layers, config: SAMPLE_CONFIG };
  const { files, libraries } = await readImageContents(image, dir, new AbortController().signal);
  expect(files).toEqual([
    { path: 'app/shop.jar', digest: digestOf(SHOP), layer: 'base' },
    { path: 'app/second.jar', digest: digestOf(SHOP), layer: 'app' },
  ]);
  expect(libraries.map(({ path, nested }) => [path, ...nested.map((one) => one.path)])).toEqual(
    ['app/shop.jar', 'app/second.jar'].map((path) => [path, `${path}!/BOOT-INF/lib/h2-2.2.jar`]),
  );
});

function facts(given: Partial<SbomFacts> = {}): SbomFacts {
  return {
    ...{ name: 'shop', imageDigest: digestOf('image'), architecture: 'amd64', created: new Date(86_400_000), contents },
    builder: { version: '1.2.3', criuVersion: '4.2.1' },
    ...given,
  };
}

interface Bom {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: { readonly purl: string } };
  readonly components: readonly { readonly name: string; readonly purl?: string; readonly 'bom-ref': string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}
const compose = (given: Partial<SbomFacts> = {}): Bom => JSON.parse(composeSbom(facts(given)));

/** The official schema, which CycloneDX's library brings along. */
function openSchema(): Validator {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
    'res/schema',
  );
  const read = (name: string) =>
    JSON.parse(readFileSync(join(folder, `${name}.SNAPSHOT.schema.json`), 'utf8')) as Schema;
  const validator = new Validator(read('bom-1.6'), '7', false);
  validator.addSchema(read('spdx'), 'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json');
  validator.addSchema(read('jsf-0.82'), 'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json');
  return validator;
}

test('is what the official schema of CycloneDX 1.6 wants', () => {
  const validator = openSchema();
  const bom = compose();
  expect(validator.validate(bom).errors).toEqual([]);
  expect(validator.validate({ ...bom, serialNumber: 'none' }).valid).toBe(false);
  expect(validator.validate({ ...bom, components: [{ name: 'without a type' }] }).valid).toBe(false);
});

test('lists the JDK, jars with those inside, packages and our own files; nothing that a later layer removed', () => {
  const bom = compose();
  expect(bom.components.map((one) => one.purl ?? one.name).sort()).toEqual([
    'opt/crac/restore',
    'pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12&upstream=zlib',
    'pkg:generic/openjdk@21.0.4+7-LTS',
    'pkg:generic/shop',
    'pkg:maven/com.h2/h2@2.2',
  ]);
  expect(bom.components.find(({ name }) => name === 'h2')).toMatchObject({
    hashes: [{ alg: 'SHA-256', content: digestOf(H2).slice('sha256:'.length) }],
    licenses: [{ license: { name: 'Own' } }, { license: { id: 'MIT' } }],
  });
  expect(bom.components.find(({ name }) => name === 'openjdk')).toMatchObject({ type: 'platform', publisher: 'Shop' });
});

test('says what depends on what', () => {
  const { dependencies, metadata } = compose();
  const shop = dependencies.find(({ ref }) => ref === 'app/shop.jar');
  expect(shop?.dependsOn).toEqual(['app/shop.jar!/BOOT-INF/lib/h2-2.2.jar']);
  const image = dependencies.find(({ ref }) => ref === metadata.component.purl);
  expect(image?.dependsOn).toEqual(expect.arrayContaining(['app/shop.jar', 'opt/java']));
  expect(image?.dependsOn).not.toContain('app/shop.jar!/BOOT-INF/lib/h2-2.2.jar');
});

test('a base of copied files: the packages they are of, the JDK’s, and each file that is of none', () => {
  const zlib = { name: 'zlib1g', version: '1:1.3', architecture: 'amd64' };
  const jdk = { name: 'openjdk-21-jre-headless', version: '21.0.4+7-1', architecture: 'amd64' };
  const { components } = compose({
    contents: { ...contents, packages: [] },
    copied: {
      owners: new Map([['usr/lib/libz.so', zlib]]),
      osRelease: new Map([
        ['ID', 'ubuntu'],
        ['VERSION_ID', '24.04'],
      ]),
      jdkPackage: jdk,
      jdkRelease: new Map([['IMPLEMENTOR', 'Debian']]),
    },
  });
  const purls = components.flatMap(({ purl }) => purl ?? []);
  expect(purls).toContain('pkg:deb/ubuntu/zlib1g@1:1.3?arch=amd64&distro=ubuntu-24.04');
  expect(purls).toContain('pkg:deb/ubuntu/openjdk-21-jre-headless@21.0.4+7-1?arch=amd64&distro=ubuntu-24.04');
  expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['etc/os-release', 'var/lib/dpkg/status']));
  expect(components.map(({ name }) => name)).not.toContain('usr/lib/libz.so');
});

test('the same image and time give the same bytes; another image another serial number', () => {
  expect(composeSbom(facts())).toBe(composeSbom(facts()));
  expect(compose().serialNumber).toMatch(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(compose({ imageDigest: digestOf('other') }).serialNumber).not.toBe(compose().serialNumber);
  expect(compose().metadata.timestamp).toBe('1970-01-02T00:00:00.000Z');
});
