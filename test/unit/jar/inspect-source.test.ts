import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AppSource } from '../../../src/jar/app-source.ts';
import { inspectSource } from '../../../src/jar/inspect-source.ts';
import { MAIN, makeClass } from './class-file.ts';
import { makeZip } from './make-zip.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'source-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(path: string, content: string | Buffer = ''): string {
  const whole = join(dir, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}

const jarOf = (manifest: string, files: Readonly<Record<string, string | Buffer>> = {}) =>
  makeZip({ 'META-INF/MANIFEST.MF': `${manifest}\n\n`, ...files });
const MAIN_CLASS = makeClass('shop.Main', MAIN);

/** Each layer on a line: "app application: file lib/a.jar, folder classes". */
function show({ layers }: AppSource): readonly string[] {
  return layers.map(
    ({ name, kind, parts }) => `${kind} ${name}: ${parts.map((part) => `${part.kind} ${part.to || '.'}`).join(', ')}`,
  );
}

describe('a jar', () => {
  test('Quarkus: its libraries below what the build made of the app', async () => {
    put('quarkus-app/quarkus-run.jar', jarOf('Main-Class: io.quarkus.bootstrap.runner.QuarkusEntryPoint'));
    for (const part of ['app/shop-1.0.jar', 'lib/boot/b.jar', 'lib/main/a.jar', 'quarkus/quarkus-application.dat'])
      put(`quarkus-app/${part}`);
    for (const jar of ['quarkus-app', 'quarkus-app/quarkus-run.jar', '.']) {
      const source = await inspectSource({ jar: join(dir, jar) });
      expect(show(source)).toEqual([
        'dependencies dependencies: folder lib',
        'app application: file {main}.jar, folder app, folder quarkus',
      ]);
      expect(source).toMatchObject({ name: 'shop-1.0.jar', title: 'a Quarkus fast-jar', start: { kind: 'jar' } });
    }
  });

  test('a WAR is told what it needs; one that starts itself is a jar', async () => {
    const war = put('shop.war', makeZip({ 'WEB-INF/web.xml': '<web-app/>' }));
    await expect(inspectSource({ jar: war })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: `${war} is a WAR: it needs a server that it is put into`,
      hint: expect.stringContaining('init --dockerfile'),
    });
    put('shop.war', jarOf('Main-Class: org.springframework.boot.loader.launch.WarLauncher'));
    expect(show(await inspectSource({ jar: war }))).toEqual(['app application: file {main}.jar']);
    put('shop.war', 'no zip');
    await expect(inspectSource({ jar: war })).rejects.toMatchObject({
      message: expect.stringContaining('not a readable'),
    });
  });

  test('starts what its manifest says, whatever --main-class says', async () => {
    const jar = put('shop.jar', jarOf('Main-Class: shop.Main'));
    await expect(inspectSource({ jar, mainClass: 'shop.Other' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a class path', () => {
  test('jars in lib/, folders in classes/, in the given order; what has the main class is the app', async () => {
    put('own/shop/Main.class', MAIN_CLASS);
    put('conf/app.properties', 'a');
    put('lib/z.jar', makeZip({ a: 'a' }));
    put('lib/a.jar', makeZip({ a: 'a' }));
    put('lib/notes.txt');
    put('other/a.jar', makeZip({ a: 'a' }));
    put('x-1-SNAPSHOT.jar', makeZip({ a: 'a' }));
    const classPath = ['own', 'lib/*', 'conf', 'other/a.jar', 'x-1-SNAPSHOT.jar', 'own'].map((path) => join(dir, path));
    const source = await inspectSource({ classPath, mainClass: 'shop.Main' });
    expect(source.start).toEqual({
      kind: 'class',
      classPath: ['classes', 'lib/a.jar', 'lib/z.jar', 'classes-2', 'lib/a-2.jar', 'lib/x-1-SNAPSHOT.jar'],
      mainClass: 'shop.Main',
    });
    expect(show(source)).toEqual([
      'dependencies dependencies: file lib/a.jar, file lib/z.jar, file lib/a-2.jar',
      'app application: folder classes, folder classes-2, file lib/x-1-SNAPSHOT.jar',
    ]);
    expect(source.name).toBe('shop');
  });

  test('the jar with the main class is the app', async () => {
    put('lib/shop.jar', makeZip({ 'shop/Server.class': MAIN_CLASS }));
    put('lib/a.jar', makeZip({ a: 'a' }));
    expect(show(await inspectSource({ classPath: [join(dir, 'lib/*')], mainClass: 'shop.Server' }))).toEqual([
      'dependencies dependencies: file lib/a.jar',
      'app application: file lib/shop.jar',
    ]);
  });

  test.each([
    ['no main class', { classPath: ['own'] }, 'USAGE', 'a class path needs the class to start'],
    [
      'an entry that is not there',
      { classPath: ['gone'], mainClass: 'M' },
      'INPUT_NOT_FOUND',
      'DIR/gone for the class path',
    ],
    ['a folder without jars', { classPath: ['own/*'], mainClass: 'M' }, 'INPUT_INVALID', 'there is no jar in DIR/own'],
    [
      'a folder that is not there',
      { classPath: ['gone/*'], mainClass: 'M' },
      'INPUT_NOT_FOUND',
      'there is no DIR/gone',
    ],
    [
      'another main class',
      { classPath: ['own'], mainClass: 'M' },
      'INPUT_INVALID',
      'the class M is nowhere on the class path',
    ],
    [
      'a jar that is none',
      { classPath: ['own/shop/Main.class'], mainClass: 'M' },
      'INPUT_INVALID',
      'Main.class in DIR/own/shop is not a readable jar',
    ],
  ] as const)('refused: %s', async (_, { classPath, ...rest }, code, message) => {
    put('own/shop/Main.class', MAIN_CLASS);
    const settings = { ...rest, classPath: classPath.map((path) => join(dir, path)) };
    await expect(inspectSource(settings)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message.replace('DIR', dir)),
      hint: expect.stringMatching(/--(?:class-path|main-class)|again/),
    });
  });

  test('classes that could be meant are told', async () => {
    put('own/shop/Main.class', MAIN_CLASS);
    await expect(inspectSource({ classPath: [join(dir, 'own')], mainClass: 'shop.Mian' })).rejects.toMatchObject({
      details: ['classes with a main method: shop.Main'],
    });
  });
});

describe('a folder', () => {
  test('of classes: the one that has a main method', async () => {
    put('shop/Main.class', MAIN_CLASS);
    put('shop/Other.class', makeClass('shop.Other', { main: '()V', run: '([Ljava/lang/String;)V' }));
    put('shop/cut.class', MAIN_CLASS.subarray(0, 40));
    put('shop/none.class', 'hello, I am a text');
    /** A copy that java would not find under this name. */
    put('copies/Main.class', MAIN_CLASS);
    expect(await inspectSource({ jar: dir })).toMatchObject({
      title: 'a folder of classes',
      start: { kind: 'class', classPath: ['classes'], mainClass: 'shop.Main' },
      layers: [{ kind: 'app', parts: [{ kind: 'folder', from: dir, to: 'classes' }] }],
    });
  });

  test('of classes with two main methods: both are told, and one can be chosen', async () => {
    put('shop/Main.class', MAIN_CLASS);
    put('shop/Import.class', makeClass('shop.Import', MAIN));
    await expect(inspectSource({ jar: dir })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: `${dir} has 2 classes with a main method`,
      hint: 'Say which: --main-class shop.Import (app.mainClass).',
      details: ['shop.Import', 'shop.Main'],
    });
    const { start } = await inspectSource({ jar: dir, mainClass: 'shop.Main' });
    expect(start).toMatchObject({ mainClass: 'shop.Main' });
  });

  test('with nothing to start', async () => {
    put('readme.txt');
    await expect(inspectSource({ jar: dir })).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
      message: `${dir} holds nothing that could be started`,
    });
  });

  test('as jarmode=tools unpacks a Spring Boot jar', async () => {
    put('shop-1.0.jar', jarOf('Main-Class: shop.Shop\nClass-Path: lib/a.jar'));
    put('lib/a.jar', makeZip({ a: 'a' }));
    expect(show(await inspectSource({ jar: dir }))).toEqual([
      'dependencies dependencies: file lib/a.jar',
      'app application: file {main}.jar',
    ]);
  });

  test('the same in layers', async () => {
    put('application/shop-1.0.jar', jarOf('Main-Class: shop.Shop\nClass-Path: lib/a.jar'));
    put('dependencies/lib/a.jar', makeZip({ a: 'a' }));
    mkdirSync(join(dir, 'snapshot-dependencies'));
    const source = await inspectSource({ jar: dir });
    expect(show(source)).toEqual(['dependencies dependencies: folder .', 'app application: folder .']);
    expect(source.start).toEqual({ kind: 'class', classPath: ['shop-1.0.jar'], mainClass: 'shop.Shop' });
    expect(source.analysed.paths).toEqual(
      [join(dir, 'application/shop-1.0.jar'), join(dir, 'dependencies/lib/a.jar')].sort(),
    );
  });

  test('with the loader, in layers or not', async () => {
    const manifest = 'Main-Class: org.springframework.boot.loader.launch.JarLauncher\nStart-Class: shop.Main\n\n';
    put('plain/META-INF/MANIFEST.MF', manifest);
    put('plain/BOOT-INF/lib/a.jar');
    put('plain/BOOT-INF/classes/shop/Main.class', MAIN_CLASS);
    const plain = await inspectSource({ jar: join(dir, 'plain') });
    expect(show(plain)).toEqual(['dependencies dependencies: folder BOOT-INF/lib', 'app application: folder .']);
    expect(plain.layers[1]?.parts[0]).toMatchObject({ without: ['BOOT-INF/lib'] });
    const start = { kind: 'class', classPath: [''], mainClass: 'org.springframework.boot.loader.launch.JarLauncher' };
    expect(plain).toMatchObject({ start, name: 'shop' });

    put('layers/application/META-INF/MANIFEST.MF', manifest);
    put('layers/application/BOOT-INF/classes/shop/Main.class', MAIN_CLASS);
    put('layers/dependencies/BOOT-INF/lib/a.jar');
    put('layers/spring-boot-loader/org/x.class');
    const layered = await inspectSource({ jar: join(dir, 'layers') });
    expect(show(layered)).toEqual([
      'dependencies dependencies: folder .',
      'dependencies spring-boot-loader: folder .',
      'app application: folder .',
    ]);
    expect(layered).toMatchObject({ start, name: 'shop' });
    rmSync(join(dir, 'plain/META-INF'), { recursive: true });
    await expect(inspectSource({ jar: join(dir, 'plain') })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('Micronaut’s layers, also from the project’s folder', async () => {
    put('build/docker/main/layers/libs/a.jar', makeZip({ a: 'a' }));
    put('build/docker/main/layers/resources/application.properties', 'micronaut.server.port=9000');
    put(
      'build/docker/main/layers/app/application.jar',
      jarOf('Main-Class: shop.Main\nClass-Path: libs/a.jar resources/'),
    );
    for (const jar of [dir, join(dir, 'build/docker/main/layers')]) {
      const source = await inspectSource({ jar });
      expect(show(source)).toEqual([
        'dependencies libs: folder libs',
        'app resources: folder resources',
        'app app: folder .',
      ]);
      expect(source).toMatchObject({ name: 'shop', start: { classPath: ['application.jar'], mainClass: 'shop.Main' } });
    }
    await expect(
      inspectSource({ jar: join(dir, 'build/docker/main/layers'), mainClass: 'shop.Other' }),
    ).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  test('a project with folders of such names is none of these', async () => {
    put('app/src/Main.java');
    put('libs/notes.txt');
    put('build/libs/shop.jar', jarOf('Main-Class: shop.Main'));
    expect(await inspectSource({ jar: dir })).toMatchObject({ path: join(dir, 'build/libs/shop.jar') });
  });

  test('Gradle’s installation, as its script starts it', async () => {
    put('build/install/shop/lib/shop-1.0.jar', makeZip({ 'shop/Main.class': MAIN_CLASS }));
    put('build/install/shop/lib/a.jar', makeZip({ a: 'a' }));
    put('build/install/shop/bin/shop.bat', 'set CLASSPATH=');
    put('build/install/shop/bin/shop', script('shop.Main'));
    for (const jar of [dir, join(dir, 'build/install/shop')]) {
      const source = await inspectSource({ jar });
      expect(show(source)).toEqual([
        'dependencies dependencies: file lib/a.jar',
        'app application: file lib/shop-1.0.jar',
      ]);
      expect(source).toMatchObject({
        name: 'shop',
        javaOptions: ['-Xmx64m', '-Dhome=/app/lib', '-Dq=it\'s "so"'],
        start: { kind: 'class', classPath: ['lib/shop-1.0.jar', 'lib/a.jar'], mainClass: 'shop.Main' },
      });
    }
  });

  test('several installations, several scripts: all are told', async () => {
    put('one/lib/shop.jar', makeZip({ 'shop/Main.class': MAIN_CLASS, 'shop/Import.class': MAIN_CLASS }));
    put('one/lib/shop-1.0.jar', makeZip({ a: 'a' }));
    put('one/lib/a.jar', makeZip({ a: 'a' }));
    put('one/bin/import', script('shop.Import').replace('shop-1.0', 'shop'));
    put('one/bin/shop', script('shop.Main').replace('shop-1.0', 'shop'));
    await expect(inspectSource({ jar: join(dir, 'one') })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      details: ['bin/import: shop.Import', 'bin/shop: shop.Main'],
      hint: 'Say which: --main-class shop.Import (app.mainClass).',
    });
    const { start } = await inspectSource({ jar: join(dir, 'one'), mainClass: 'shop.Main' });
    expect(start).toMatchObject({ mainClass: 'shop.Main' });
    mkdirSync(join(dir, 'build/install/a'), { recursive: true });
    mkdirSync(join(dir, 'build/install/b'), { recursive: true });
    await expect(inspectSource({ jar: dir })).rejects.toMatchObject({
      message: expect.stringContaining('2 installations'),
    });
  });
});

describe('what DEFAULT_JVM_OPTS names in an installation', () => {
  async function inspectWith(options: string) {
    put('lib/shop-1.0.jar', makeZip({ 'shop/Main.class': MAIN_CLASS }));
    put('lib/a.jar', makeZip({ a: 'a' }));
    put('lib/agent.jar', makeZip({ a: 'a' }));
    put('lib/ext/a.jar', makeZip({ a: 'a' }));
    put('conf/logback.xml');
    put('conf/more/x.xml');
    put('data.txt');
    put('bin/shop', script('shop.Main').replace('"-Dhome=$APP_HOME/lib"', options));
    const source = await inspectSource({ jar: dir });
    return { options: source.javaOptions?.slice(1, -1), app: show(source).at(-1) };
  }

  test.each([
    ['a folder', '"-Dx=$APP_HOME/conf"', '-Dx=/app/conf', 'folder conf'],
    [
      'a file, with its folder',
      '"-Dx=file:$' + '{APP_HOME}/conf/more/x.xml"',
      '-Dx=file:/app/conf/more/x.xml',
      'folder conf',
    ],
    [
      'an agent that is no library',
      '"-javaagent:$APP_HOME/lib/agent.jar=a=b"',
      '-javaagent:/app/lib/agent.jar=a=b',
      'file lib/agent.jar',
    ],
    ['the libraries', '"-Dx=$APP_HOME/lib"', '-Dx=/app/lib', 'file lib/agent.jar, folder lib/ext'],
    ['all of it', '"-Dx=$APP_HOME"', '-Dx=/app', 'folder conf, file data.txt'],
    ['what the app is to write', '"-Dx=$APP_HOME/logs"', '-Dx=/app/logs', undefined],
    ['another variable', '"-Dx=$APP_HOMES/conf"', '-Dx=$APP_HOMES/conf', undefined],
  ])('%s', async (_, options, planned, brought) => {
    const whole = ['file lib/shop-1.0.jar', ...(brought === undefined ? [] : [brought])].join(', ');
    expect(await inspectWith(options)).toEqual({ options: [planned], app: `app application: ${whole}` });
  });

  test('what lies elsewhere is refused', async () => {
    await expect(inspectWith('"-Dx=$APP_HOME/../conf"')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('-Dx=$APP_HOME/../conf leads out of the installation'),
      hint: expect.stringContaining('--class-path'),
    });
  });

  test('two files for one place are refused', async () => {
    const two = script('shop.Main').replace('$APP_HOME/lib/a.jar', '$APP_HOME/lib/ext/a.jar');
    put('lib/shop-1.0.jar', makeZip({ 'shop/Main.class': MAIN_CLASS }));
    put('lib/a.jar', makeZip({ a: 'a' }));
    put('lib/ext/a.jar', makeZip({ a: 'b' }));
    put('bin/shop', two.replace('$APP_HOME/lib"', '$APP_HOME/lib/a.jar"'));
    await expect(inspectSource({ jar: dir })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('would both be /app/lib/a.jar'),
    });
  });
});

/** The parts that matter of what Gradle 8 writes. */
function script(mainClass: string): string {
  return `#!/bin/sh
APP_HOME=$( cd -P "\${APP_HOME:-./}.." > /dev/null && printf '%s\\n' "$PWD" ) || exit
# Add default JVM options here. You can also use JAVA_OPTS to pass JVM options to this script.
DEFAULT_JVM_OPTS='"-Xmx64m" "-Dhome=$APP_HOME/lib" "-Dq=it'"'"'s \\"so\\""'
CLASSPATH=$APP_HOME/lib/shop-1.0.jar:$APP_HOME/lib/a.jar
set -- \\
        -classpath "$CLASSPATH" \\
        ${mainClass} \\
        "$@"
exec "$JAVACMD" "$@"
`;
}
