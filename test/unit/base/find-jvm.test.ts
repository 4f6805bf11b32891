import { findJvm } from '../../../src/base/find-jvm.ts';
import { GLIBC, makeElf, makeJdk, makeRoot } from './made-up-root.ts';

const JDK17 = 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="17.0.15"\nJVM_VARIANT="Hotspot"\n';
const JDK21 = 'IMPLEMENTOR="Debian"\nJAVA_VERSION="21.0.8"\n';

function find(files: Record<string, string | Buffer | null>, environment: Readonly<Record<string, string>> = {}) {
  return findJvm(makeRoot({ ...GLIBC, ...files }), { source: 'oci:/images/jre', environment });
}

/** What an error says, and what to do about it. */
function refusal(files: Record<string, string | Buffer | null>, environment: Readonly<Record<string, string>> = {}) {
  try {
    find(files, environment);
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string };
    expect(code).toBe('INPUT_INVALID');
    expect(hint).toMatch(/./);
    return message;
  }
  throw new Error('nothing was refused');
}

test('JAVA_HOME of the image comes first', () => {
  const files = { ...makeJdk('opt/java/openjdk', JDK17), ...makeJdk('usr/lib/jvm/java-21', JDK21) };
  expect(find(files, { JAVA_HOME: '/opt/java/openjdk', PATH: '/usr/lib/jvm/java-21/bin' })).toEqual({
    home: '/opt/java/openjdk',
    version: '17.0.15',
    javaVersion: 17,
    vendor: 'Eclipse Adoptium',
    hasClassArchive: true,
  });
});

test('the java in PATH is followed over links of alternatives, absolute and relative ones', () => {
  const found = find(
    {
      ...makeJdk('usr/lib/jvm/java-21-openjdk-21.0.8-1.fc41.x86_64', JDK21),
      'usr/lib/jvm/jre': '-> /etc/alternatives/jre',
      'etc/alternatives/jre': '-> ../../usr/lib/jvm/java-21-openjdk-21.0.8-1.fc41.x86_64',
      'etc/alternatives/java': '-> /usr/lib/jvm/jre/bin/java',
      bin: '-> usr/bin',
      'usr/bin/java': '-> /etc/alternatives/java',
    },
    { PATH: '/nowhere:/bin' },
  );
  expect(found).toMatchObject({ home: '/usr/lib/jvm/java-21-openjdk-21.0.8-1.fc41.x86_64', javaVersion: 21 });
});

test('without both, what is installed is taken, the newest first, and a script called java is none', () => {
  const files = {
    ...makeJdk('usr/lib/jvm/a', JDK17),
    ...makeJdk('opt/jdk-21', JDK21),
    'usr/bin/java': '#!/bin/sh\nexec something\n',
  };
  expect(find(files)).toMatchObject({ home: '/opt/jdk-21' });
});

test('a JRE that a buildpack has brought', () => {
  expect(find(makeJdk('layers/paketo-buildpacks_bellsoft-liberica/jre', JDK17))).toMatchObject({ javaVersion: 17 });
});

test('a JVM without a class archive is told to be one', () => {
  const { 'opt/jdk/lib/server/classes.jsa': _, ...files } = makeJdk('opt/jdk', JDK17);
  expect(find(files).hasClassArchive).toBe(false);
});

test('no Java', () => {
  expect(refusal({ 'usr/bin/python3': makeElf() })).toBe('there is no Java in oci:/images/jre');
});

test.each([
  ['11.0.2', '/opt/jdk is Java 11.0.2'],
  ['1.8.0_402', '/opt/jdk is Java 1.8.0_402'],
])('Java %s is too old', (version, words) => {
  expect(refusal(makeJdk('opt/jdk', `JAVA_VERSION="${version}"\n`))).toBe(
    `the Java of oci:/images/jre cannot be used: ${words}`,
  );
});

test('a JVM that does not say which one it is', () => {
  const { 'opt/jdk/release': _, ...files } = makeJdk('opt/jdk', JDK17);
  expect(refusal(files)).toMatch(/\/opt\/jdk has no readable file `release`$/);
});

test('a JRE without needed parts: each is named', () => {
  const { 'opt/jdk/lib/modules': _, 'opt/jdk/lib/libjava.so': _java, ...files } = makeJdk('opt/jdk', JDK17);
  expect(refusal(files)).toMatch(/: \/opt\/jdk lacks lib\/modules, lib\/libjava\.so$/);
});

test('another VM than HotSpot’s server VM', () => {
  expect(refusal(makeJdk('opt/jdk', `${JDK21}JVM_VARIANT="Openj9"\n`))).toMatch(
    /\/opt\/jdk is OpenJ9, and not HotSpot$/,
  );
  const j9 = { ...makeJdk('opt/jdk', JDK21), 'opt/jdk/lib/default/libj9vm29.so': 'x' };
  expect(refusal(j9)).toMatch(/is OpenJ9/);
  const { 'opt/jdk/lib/server/libjvm.so': _, ...zero } = makeJdk('opt/jdk', JDK21);
  expect(refusal({ ...zero, 'opt/jdk/lib/zero/libjvm.so': 'x' })).toMatch(
    /has only HotSpot’s zero VM, not its server VM$/,
  );
  expect(refusal(makeJdk('opt/jdk', `${JDK21}JVM_VARIANT="Zero"\n`))).toMatch(/is Zero, and not HotSpot$/);
});

test('32 bits, another architecture, musl, no loader', () => {
  const with_ = (elf: Parameters<typeof makeElf>[0]) => makeJdk('opt/jdk', JDK21, elf);
  expect(refusal(with_({ bits: 32, machine: 3 }))).toMatch(/\/opt\/jdk\/bin\/java is a 32-bit program$/);
  expect(refusal(with_({ machine: 183 }))).toMatch(/is for aarch64, and not for x86-64$/);
  expect(refusal(with_({ interpreter: '/lib/ld-musl-x86_64.so.1' }))).toMatch(
    /is made for musl \(\/lib\/ld-musl-x86_64\.so\.1\), which is not supported yet$/,
  );
  expect(refusal(with_({ interpreter: '/lib/ld-other.so' }))).toMatch(
    /needs the loader \/lib\/ld-other\.so, which is not there$/,
  );
});
