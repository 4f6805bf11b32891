import { digestOf } from '../../../src/oci/blob-store.ts';
import { inspectLibrary } from '../../../src/sbom/inspect-library.ts';
import { findLicenceId } from '../../../src/sbom/licence-id.ts';
import { parsePomLicences } from '../../../src/sbom/pom-licences.ts';
import { makeZip } from '../jar/make-zip.ts';

const POM =
  '<project><licenses><license><name>The Apache Software License, Version 2.0</name></license></licenses></project>';
const MANIFEST = 'Manifest-Version: 1.0\r\n';

function maven(group: string, name: string, version: string): Record<string, string> {
  const folder = `META-INF/maven/${group}/${name}`;
  return {
    [`${folder}/pom.properties`]: `#made\nversion=${version}\ngroupId=${group}\nartifactId=${name}\n`,
    [`${folder}/pom.xml`]: POM,
  };
}

const inspect = (path: string, files: Record<string, string | Buffer>) => {
  const zip = makeZip(files);
  return inspectLibrary(zip, path, digestOf(zip));
};

test('a jar is what its pom says', async () => {
  const found = await inspect('app/lib/guava-33.jar', maven('com.google.guava', 'guava', '33.4.8-jre'));
  expect(found).toMatchObject({
    ...{ group: 'com.google.guava', name: 'guava', version: '33.4.8-jre', merged: [], nested: [] },
    licences: ['The Apache Software License, Version 2.0'],
  });
});

test('of several poms the one that the file is named after is its own, and the others were merged into it', async () => {
  const files = {
    ...maven('org.shaded', 'inner', '1'),
    ...maven('com.shop', 'shop', '2'),
    ...maven('com.shop', 'shop-api', '3'),
  };
  const found = await inspect('app/shop-api-3.jar', files);
  expect(found).toMatchObject({ group: 'com.shop', name: 'shop-api', version: '3' });
  expect(found.merged.map(({ name }) => name)).toEqual(['inner', 'shop']);
  expect(await inspect('app/all.jar', files)).toMatchObject({ name: 'all', merged: { length: 3 } });
});

test('Quarkus has the group in the name of the file', async () => {
  const files = { ...maven('io.quarkus', 'quarkus-core', '3.1'), ...maven('org.x', 'x', '1') };
  expect(await inspect('lib/io.quarkus.quarkus-core-3.1.jar', files)).toMatchObject({
    group: 'io.quarkus',
    name: 'quarkus-core',
  });
});

test('without a pom the name of the file tells, then the manifest', async () => {
  const manifest = `${MANIFEST}Implementation-Version: 7\r\nBundle-License: https://www.apache.org/licenses/LICENSE-2.0.txt;x=y\r\n`;
  expect(await inspect('app/jna-5.13.0.jar', { 'META-INF/MANIFEST.MF': manifest })).toEqual({
    ...{ path: 'app/jna-5.13.0.jar', digest: expect.stringMatching(/^sha256:/), name: 'jna', version: '5.13.0' },
    ...{ licences: ['https://www.apache.org/licenses/LICENSE-2.0.txt'], merged: [], nested: [] },
  });
  expect(await inspect('app/orders.jar', { 'META-INF/MANIFEST.MF': manifest })).toMatchObject({
    name: 'orders',
    version: '7',
  });
});

test('jars in a jar are looked into; one that is damaged is listed by its name', async () => {
  const inner = makeZip(maven('org.h2', 'h2', '2.2'));
  const found = await inspect('app/shop.jar', {
    'META-INF/MANIFEST.MF': MANIFEST,
    'BOOT-INF/lib/h2-2.2.jar': inner,
    'BOOT-INF/lib/broken-1.0.jar': 'no zip',
  });
  expect(found.nested).toMatchObject([
    { path: 'app/shop.jar!/BOOT-INF/lib/h2-2.2.jar', group: 'org.h2', digest: digestOf(inner) },
    { path: 'app/shop.jar!/BOOT-INF/lib/broken-1.0.jar', name: 'broken', version: '1.0' },
  ]);
});

test('licences of a pom: names, else addresses, and none out of a comment', () => {
  const xml = `<!-- <licenses><license><name>Old</name></license></licenses> --><licenses>
    <license><name>Eclipse Public License\n v2.0 &amp; more</name></license>
    <license><url>https://opensource.org/licenses/MIT</url></license></licenses>`;
  expect(parsePomLicences(xml)).toEqual(['Eclipse Public License v2.0 & more', 'https://opensource.org/licenses/MIT']);
  expect(parsePomLicences('<project/>')).toEqual([]);
});

test.each([
  ['Apache-2.0', 'Apache-2.0'],
  ['The Apache Software License, Version 2.0', 'Apache-2.0'],
  ['https://www.apache.org/licenses/LICENSE-2.0.txt', 'Apache-2.0'],
  ['The MIT License', 'MIT'],
  ['GNU Lesser General Public License', undefined],
  ['CDDL + GPLv2 with classpath exception', undefined],
])('%s is %s', (text, id) => {
  expect(findLicenceId(text)).toBe(id);
});
