import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInit } from '../../../src/cli/init-command.ts';
import { loadSettings } from '../../../src/config/load-settings.ts';
import { isCracBuildError } from '../../../src/errors.ts';
import { TEMPLATES } from '../../../src/init/compose-dockerfile.ts';
import { inspectSource } from '../../../src/jar/inspect-source.ts';
import { planBuild } from '../../../src/plan/plan-build.ts';
import { renderError } from '../../../src/report/render-error.ts';
import { listPorts } from '../../../src/warm-up/scenario.ts';
import { expectGolden } from '../../support/golden.ts';
import { makeZip } from '../jar/make-zip.ts';

const SAMPLES = join(import.meta.dirname, '../init/samples');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'init-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function putJar(
  path: string,
  mainClass: string,
  files: Readonly<Record<string, string>> = {},
  startClass?: string,
): void {
  const started = startClass === undefined ? '' : `Start-Class: ${startClass}\n`;
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(
    join(dir, path),
    makeZip({ 'META-INF/MANIFEST.MF': `Main-Class: ${mainClass}\n${started}\n`, ...files }),
  );
}

function read(path: string): string {
  return readFileSync(join(dir, path), 'utf8');
}

/** What was written, as `crac-build plan` reads it. */
async function plan(configFile = 'crac-build.yaml') {
  const settings = await loadSettings({ configFile, flags: {}, cwd: dir });
  return planBuild(settings, {
    source: await inspectSource(settings.app ?? {}),
    jdk: { path: '/jdk', javaVersion: 17, hotSpot: true },
  });
}

const BOOT = {
  'BOOT-INF/lib/spring-boot-3.5.1.jar': 'PK',
  'BOOT-INF/lib/spring-boot-actuator-3.5.1.jar': 'PK',
  'BOOT-INF/lib/tomcat-embed-core-10.1.42.jar': 'PK',
  'BOOT-INF/lib/spring-security-web-6.5.1.jar': 'PK',
  'BOOT-INF/classes/application.yml':
    'server: { port: 8443, ssl: { key-store: classpath:shop.p12 } }\nmanagement.server.port: 8081\n',
};

test('Spring Boot: the whole file, and what is said', async () => {
  putJar('target/orders-service-1.4.2.jar', 'org.springframework.boot.loader.launch.JarLauncher', BOOT);
  const { text, json } = await runInit(undefined, {}, dir);
  expectGolden('init/spring-boot.yaml', read('crac-build.yaml'));
  expectGolden('init/spring-boot.txt', text);
  expect(json).toMatchObject({
    ok: true,
    file: join(dir, 'crac-build.yaml'),
    jar: join(dir, 'target/orders-service-1.4.2.jar'),
    framework: { name: 'spring-boot', version: '3.5.1' },
    endpoints: { port: { value: 8443 }, health: { path: '/actuator/health', port: 8081 } },
    imports: [],
    next: 'crac-build build',
  });
  expect(await plan()).toMatchObject({
    name: 'orders-service',
    app: { ports: [8443, 8081] },
    readiness: { kind: 'http', port: 8081, path: '/actuator/health', tls: { insecure: true } },
    warmUp: { scenarios: [{ steps: [{ path: '/actuator/health', port: 8081 }] }] },
  });
});

test('Quarkus: named after its own jar', async () => {
  putJar('target/quarkus-app/quarkus-run.jar', 'io.quarkus.bootstrap.runner.QuarkusEntryPoint');
  const beside = ['app/stock-2.0.jar', 'lib/main/io.quarkus.quarkus-smallrye-health-3.15.1.jar'];
  for (const path of [...beside, 'lib/main/io.quarkus.quarkus-core-3.15.1.jar', 'quarkus/quarkus-application.dat'])
    putJar(`target/quarkus-app/${path}`, 'x', { 'application.properties': 'quarkus.http.port=8088\n' });
  const { text } = await runInit(undefined, {}, dir);
  expect(text).toContain('Quarkus 3.15.1');
  expect(await plan()).toMatchObject({
    name: 'stock',
    app: { ports: [8088] },
    readiness: { path: '/q/health', port: 8088 },
  });
});

test('a plain app with scenarios from all three: the whole file, and what is said', async () => {
  putJar('build/libs/shop.jar', 'shop.Main');
  const imports = {
    fromHar: join(SAMPLES, 'shop.har'),
    fromOpenapi: join(SAMPLES, 'petstore.yaml'),
    fromAccessLog: join(SAMPLES, 'access.log'),
  };
  const { text, json } = await runInit(undefined, { ...imports, top: 2 }, dir);
  expectGolden('init/plain.yaml', read('crac-build.yaml'));
  expectGolden('init/plain.txt', text);
  expect(json).toMatchObject({
    imports: [
      { source: 'HAR shop.har', scenarioCount: 1 },
      { source: 'OpenAPI petstore.yaml', scenarioCount: 6 },
      { source: 'access log access.log', scenarioCount: 2, notes: expect.arrayContaining([expect.any(String)]) },
    ],
  });
  const { warmUp, readiness } = await plan();
  expect(readiness).toMatchObject({ path: '/', port: 8080 });
  expect(warmUp.scenarios.map(({ name }) => name)).toEqual([
    'shop.example',
    'listPets',
    'showPet',
    'showTree',
    'GET /orders/*',
    'GET /orders?page&size',
  ]);
});

test('imported requests go to the app, not to the port of its health page', async () => {
  putJar('shop.jar', 'org.springframework.boot.loader.launch.JarLauncher', BOOT);
  await runInit(undefined, { fromAccessLog: join(SAMPLES, 'access.log') }, dir);
  const { warmUp, readiness } = await plan();
  expect(readiness).toMatchObject({ port: 8081 });
  expect(listPorts(warmUp.scenarios)).toEqual([8443]);
});

test('a health page without TLS beside an app with it', async () => {
  putJar('shop.jar', 'io.quarkus.runner.GeneratedMain', {
    'io/quarkus/runtime/Application.class': 'x',
    'io/quarkus/smallrye/health/runtime/SmallRyeHealthHandler.class': 'x',
    'application.properties': 'quarkus.management.enabled=true\nquarkus.http.ssl.certificate.files=a.pem\n',
  });
  await runInit(undefined, {}, dir);
  const { warmUp, readiness } = await plan();
  expect(readiness).toEqual({ kind: 'http', port: 9000, path: '/q/health', status: 200, timeoutMs: 60_000 });
  expect(warmUp.connection.tls).toEqual({ insecure: true });
});

test('where nothing imported can be sent, the readiness is the warm-up', async () => {
  putJar('shop.jar', 'shop.Main');
  writeFileSync(join(dir, 'api.yaml'), 'openapi: 3.0.3\npaths: { "/a/{b}": { get: {} } }\n');
  await runInit(undefined, { fromOpenapi: join(dir, 'api.yaml') }, dir);
  expect((await plan()).warmUp.scenarios).toMatchObject([{ name: 'GET /' }]);
});

test('"-" prints: the whole, or of an import the scenarios alone, for which no app is needed', async () => {
  const fromAccessLog = join(SAMPLES, 'access.log');
  const scenarios = await runInit(undefined, { output: '-', fromAccessLog }, dir);
  expect(scenarios.text).toMatch(/^warmUp:\n {2}scenarios:\n/);
  expect(scenarios.json).toMatchObject({ ok: true, yaml: scenarios.text, imports: [{ scenarioCount: 5 }] });
  putJar('shop.jar', 'shop.Main');
  const whole = await runInit('shop.jar', { output: '-' }, dir);
  expect(whole.text).toContain('\n  jar: shop.jar\n');
  expect(whole.json).toMatchObject({ yaml: whole.text });
  expect(readdirSync(dir)).toEqual(['shop.jar']);
});

test('a project elsewhere gets its file; another name is asked for; the next command names it', async () => {
  putJar('shop/target/shop.jar', 'shop.Main');
  expect((await runInit('shop', {}, dir)).json).toMatchObject({
    file: join(dir, 'shop/crac-build.yaml'),
    next: 'crac-build build --config shop/crac-build.yaml',
  });
  expect(read('shop/crac-build.yaml')).toContain('\n  jar: target/shop.jar\n');
  mkdirSync(join(dir, 'conf'));
  await runInit('shop/target/shop.jar', { output: 'conf/my.yaml' }, dir);
  expect((await plan('conf/my.yaml')).app.source?.path).toBe(join(dir, 'shop/target/shop.jar'));
});

test('a file that is there stays, unless --force is given', async () => {
  putJar('shop.jar', 'shop.Main');
  writeFileSync(join(dir, 'crac-build.yaml'), 'name: mine\n');
  await expect(runInit(undefined, {}, dir)).rejects.toMatchObject({ code: 'USAGE' });
  expect(read('crac-build.yaml')).toBe('name: mine\n');
  await runInit(undefined, { force: true }, dir);
  expect(read('crac-build.yaml')).toContain('jar: shop.jar');
  expect(readdirSync(dir).sort()).toEqual(['crac-build.yaml', 'shop.jar']);
});

test('every way to be wrong', async () => {
  putJar('one/target/a.jar', 'A');
  putJar('two/target/a.jar', 'A');
  putJar('two/target/b.jar', 'B');
  putJar('taken/a.jar', 'A');
  writeFileSync(join(dir, 'taken/crac-build.yaml'), '');
  mkdirSync(join(dir, 'none/target'), { recursive: true });
  writeFileSync(join(dir, 'none/target/library.jar'), makeZip({ 'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\n' }));
  writeFileSync(join(dir, 'no.jar'), 'text');
  const har = join(SAMPLES, 'shop.har');
  const log = join(SAMPLES, 'access.log');
  const mistakes: Readonly<Record<string, readonly [string, Parameters<typeof runInit>[1]]>> = {
    'a folder that is not there': ['nowhere', {}],
    'no executable jar': ['none', {}],
    'several executable jars': ['two', {}],
    'no jar at all': ['no.jar', {}],
    'the file is there': ['taken', {}],
    'a folder that is not there, to write to': ['one', { output: 'nowhere/crac-build.yaml' }],
    'a folder to write to, with --force': ['one', { output: 'one', force: true }],
    '--host without a HAR': ['one', { host: 'a', fromAccessLog: log }],
    '--think without a HAR': ['one', { think: true }],
    '--top without a log': ['one', { top: 3, fromHar: har }],
    '--include-writes with a HAR, which has them': ['one', { includeWrites: true, fromHar: har }],
    '--include-assets without anything': ['one', { includeAssets: true }],
  };
  let told = '';
  for (const [title, [target, flags]] of Object.entries(mistakes)) {
    const error = await runInit(target, flags, dir).catch((thrown: unknown) => thrown);
    if (!isCracBuildError(error)) throw error;
    told += `── ${title}\n${renderError(error)}\n`;
  }
  expectGolden('init/errors.txt', told.replaceAll(dir, 'DIR'));
  expect(readdirSync(join(dir, 'one'))).toEqual(['target']);
});

const DEFAULT_LAYERS = ['dependencies', 'spring-boot-loader', 'snapshot-dependencies', 'application'];
const indexOf = (names: readonly string[]) =>
  names.map((name) => `- "${name}":\n${name === 'application' ? '  - "BOOT-INF/classes/"\n' : ''}`).join('');
const LAYERED = {
  ...BOOT,
  'BOOT-INF/layers.idx': indexOf(DEFAULT_LAYERS),
  'BOOT-INF/lib/spring-boot-jarmode-tools-3.5.1.jar': 'PK',
};

const QUARKUS = 'io.quarkus.bootstrap.runner.QuarkusEntryPoint';

describe('--dockerfile', () => {
  test.each(['plain', 'spring-boot', 'quarkus', 'installed'])(
    '%s: the file, and a config that builds from it',
    async (kind) => {
      if (kind === 'plain') putJar('target/shop-1.0.jar', 'shop.Main');
      if (kind === 'spring-boot')
        putJar('target/shop.jar', 'org.springframework.boot.loader.launch.JarLauncher', LAYERED, 'shop.Shop');
      if (kind === 'quarkus') {
        putJar('target/quarkus-app/quarkus-run.jar', QUARKUS);
        for (const path of ['app/shop.jar', 'lib/main/io.quarkus.quarkus-core-3.15.1.jar', 'quarkus/x.dat'])
          putJar(`target/quarkus-app/${path}`, 'x');
      }
      if (kind === 'installed') {
        putJar('build/install/shop/lib/shop.jar', 'x', { 'shop/Main.class': 'x' });
        putJar('build/install/shop/lib/vertx-core-5.0.1.jar', 'x');
        mkdirSync(join(dir, 'build/install/shop/bin'));
        const lines = [
          'CLASSPATH=$APP_HOME/lib/shop.jar:$APP_HOME/lib/vertx-core-5.0.1.jar',
          '-classpath "$CLASSPATH" shop.Main',
        ];
        writeFileSync(join(dir, 'build/install/shop/bin/shop'), `DEFAULT_JVM_OPTS='"-Xmx64m"'\n${lines.join('\n')}\n`);
      }
      const { text, json } = await runInit(undefined, { dockerfile: true }, dir);
      expect(text).toContain('\nwrote Dockerfile\nwrote crac-build.yaml\n');
      expect(json).toMatchObject({ dockerfile: join(dir, 'Dockerfile') });
      expectGolden(`init/${kind}.Dockerfile`, read('Dockerfile'));
      expect(read('crac-build.yaml')).not.toMatch(/^ *(?:# )?(?:jar|base):/m);
      const { app, name } = await loadSettings({ configFile: undefined, flags: {}, cwd: dir });
      expect({ name, file: app?.dockerfile?.file }).toEqual({ name: 'shop', file: join(dir, 'Dockerfile') });
    },
  );

  test('a WAR gets Tomcat, or Jetty', async () => {
    mkdirSync(join(dir, 'target'));
    writeFileSync(join(dir, 'target/shop.war'), makeZip({ 'WEB-INF/web.xml': '<web-app/>' }));
    await runInit('target/shop.war', { dockerfile: true }, dir);
    expect(read('Dockerfile')).toContain('COPY --chown=1000:1000 ["target/shop.war", "/opt/tomcat/webapps/ROOT.war"]');
    const { text } = await runInit('target/shop.war', { dockerfile: true, template: 'jetty', output: '-' }, dir);
    expect(text).toContain('"/opt/jetty-base/webapps/ROOT.war"');
    expect(text).not.toContain('{{');
    await expect(
      runInit('target/shop.war', { dockerfile: true, template: 'plain', output: '-' }, dir),
    ).rejects.toMatchObject({ code: 'USAGE', hint: 'Choose another: --template tomcat.' });
  });

  test.each<readonly [string, Readonly<Record<string, string>>]>([
    ['without an index of layers', { ...BOOT, 'BOOT-INF/lib/spring-boot-jarmode-tools-3.5.1.jar': 'PK' }],
    [
      'older than 3.3, whose tools extract nothing',
      {
        ...BOOT,
        'BOOT-INF/layers.idx': LAYERED['BOOT-INF/layers.idx'],
        'BOOT-INF/lib/spring-boot-jarmode-layertools-3.2.9.jar': 'PK',
      },
    ],
    ['with a layer of its own', { ...LAYERED, 'BOOT-INF/layers.idx': indexOf([...DEFAULT_LAYERS, 'company']) }],
    ['that lacks a layer', { ...LAYERED, 'BOOT-INF/layers.idx': indexOf(['dependencies', 'application']) }],
  ])('a Spring Boot jar %s is copied whole', async (_, files) => {
    putJar('shop.jar', 'org.springframework.boot.loader.launch.JarLauncher', files, 'shop.Shop');
    const { text } = await runInit(undefined, { dockerfile: true, output: '-' }, dir);
    expect(text).toContain('WORKDIR /app\nCOPY ["shop.jar", "/app/app.jar"]\nUSER');
  });

  test('what a layer puts into one folder is one layer of the image; what is renamed is copied apart', async () => {
    const classPath = ['a', 'b', 'c-1-SNAPSHOT'].map((name) => `lib/${name}.jar`);
    mkdirSync(join(dir, 'target/lib'), { recursive: true });
    for (const path of [...classPath, 'ext/d.jar']) putJar(`target/${path}`, 'x');
    const manifest = `Main-Class: shop.Main\nClass-Path: ${classPath.join(' ')} ext/d.jar\n\n`;
    writeFileSync(join(dir, 'target/shop.jar'), makeZip({ 'META-INF/MANIFEST.MF': manifest }));
    const { text } = await runInit('target/shop.jar', { dockerfile: true, output: '-' }, dir);
    expect(text.split('\n').filter((line) => line.startsWith('COPY'))).toEqual([
      'COPY ["target/lib/a.jar", "target/lib/b.jar", "/app/lib/"]',
      'COPY ["target/ext/d.jar", "/app/ext/"]',
      'COPY ["target/shop.jar", "/app/app.jar"]',
      'COPY ["target/lib/c-1-SNAPSHOT.jar", "/app/lib/"]',
    ]);
  });

  test('a Spring Boot jar can be copied whole', async () => {
    putJar('shop.jar', 'org.springframework.boot.loader.launch.JarLauncher', BOOT, 'shop.Shop');
    const { text } = await runInit(undefined, { dockerfile: true, template: 'plain', output: '-' }, dir);
    expect(text).toContain('WORKDIR /app\nCOPY ["shop.jar", "/app/app.jar"]\nUSER');
  });

  test('one that is there stays, and no config is left that names it', async () => {
    putJar('shop.jar', 'shop.Main');
    writeFileSync(join(dir, 'Dockerfile'), 'FROM mine\n');
    await expect(runInit(undefined, { dockerfile: true }, dir)).rejects.toMatchObject({ code: 'USAGE' });
    expect(read('Dockerfile')).toBe('FROM mine\n');
    expect(readdirSync(dir).sort()).toEqual(['Dockerfile', 'shop.jar']);
    await runInit(undefined, { dockerfile: true, force: true }, dir);
    expect(read('Dockerfile')).toContain('COPY ["shop.jar", "/app/app.jar"]');
  });

  test('what is no WAR gets none', async () => {
    mkdirSync(join(dir, 'folder.war'));
    writeFileSync(join(dir, 'text.war'), 'text');
    const mistakes = { 'gone.war': 'INPUT_NOT_FOUND', 'folder.war': 'INPUT_INVALID', 'text.war': 'INPUT_INVALID' };
    for (const [name, code] of Object.entries(mistakes)) {
      for (const output of [undefined, '-', 'my.yaml']) {
        const flags = { dockerfile: true, ...(output === undefined ? {} : { output }) };
        await expect(runInit(name, flags, dir)).rejects.toMatchObject({ code, message: expect.stringContaining(name) });
      }
    }
    expect(readdirSync(dir).sort()).toEqual(['folder.war', 'text.war']);
  });

  test('where the Dockerfile cannot be written, the config stays as it was', async () => {
    putJar('shop.jar', 'shop.Main');
    mkdirSync(join(dir, 'Dockerfile'));
    writeFileSync(join(dir, 'crac-build.yaml'), 'name: mine\n');
    await expect(runInit(undefined, { dockerfile: true, force: true }, dir)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: `${join(dir, 'Dockerfile')} cannot be written: EISDIR`,
    });
    expect(read('crac-build.yaml')).toBe('name: mine\n');
    expect(readdirSync(dir).sort()).toEqual(['Dockerfile', 'crac-build.yaml', 'shop.jar']);
  });

  test('what lies outside of its folder cannot be copied', async () => {
    putJar('shop.jar', 'shop.Main');
    mkdirSync(join(dir, 'docker'));
    const flags = { dockerfile: true, output: 'docker/crac-build.yaml' };
    await expect(runInit('shop.jar', flags, dir)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(readdirSync(join(dir, 'docker'))).toEqual([]);
  });

  test.each(TEMPLATES)('the template %s: any base, exec form, nobody is root', async (name) => {
    const text = readFileSync(join(import.meta.dirname, `../../../templates/dockerfile/${name}.Dockerfile`), 'utf8');
    const instructions = text
      .replaceAll(/\\\n/g, ' ')
      .split('\n')
      .filter((line) => /^[A-Z]/.test(line));
    expect(instructions[0]).toMatch(/^ARG BASE=\S+$/);
    const FROM = ['FROM $', '{BASE}'].join('');
    const last = instructions.slice(instructions.lastIndexOf(FROM));
    expect(last[0]).toBe(FROM);
    expect(last).toContain('USER 1000:1000');
    expect(last.at(-1)).toMatch(/^ENTRYPOINT (?:\{\{command\}\}|\["java", .*\])$/);
    expect(text).not.toMatch(/^(?:CMD|RUN|ENTRYPOINT) (?![[{])/m);
  });
});

test('a folder that a build tool made is what is built', async () => {
  putJar('build/docker/main/layers/app/application.jar', 'shop.Main', {
    'application.yml': 'micronaut.server.port: 8111',
  });
  putJar('build/docker/main/layers/libs/micronaut-runtime-4.9.1.jar', 'x');
  const { text } = await runInit(undefined, {}, dir);
  expect(text).toContain('Micronaut 4.9.1');
  expect(text).toContain('  2 layers: the layers of a Micronaut app');
  expect(read('crac-build.yaml')).toContain('  jar: build/docker/main/layers\n');
  expect(await plan()).toMatchObject({
    name: 'shop',
    app: { ports: [8111], source: { title: 'the layers of a Micronaut app' } },
  });
});

test('an installation is its start script, whatever can be started in its lib', async () => {
  putJar('shop/lib/shop.jar', 'x', { 'shop/Main.class': 'x' });
  putJar('shop/lib/h2-2.3.232.jar', 'org.h2.tools.Console');
  mkdirSync(join(dir, 'shop/bin'));
  const script = 'CLASSPATH=$APP_HOME/lib/shop.jar:$APP_HOME/lib/h2-2.3.232.jar\n-classpath "$CLASSPATH" shop.Main\n';
  writeFileSync(join(dir, 'shop/bin/shop'), script);
  const { text } = await runInit('shop', {}, dir);
  expect(text).toContain('an installation, as bin/shop starts it');
  expect(read('shop/crac-build.yaml')).toContain('\n  jar: .\n');
});

test('layers of a Spring Boot jar are these, whatever can be started in them', async () => {
  putJar('layers/application/shop.jar', 'shop.Main', { 'application.yml': 'server.port: 8111' });
  for (const name of ['spring-boot-3.5.1', 'h2-2.3.232'])
    putJar(`layers/dependencies/lib/${name}.jar`, 'org.h2.Console');
  putJar('layers/dependencies/h2.jar', 'org.h2.Console');
  const { text, json } = await runInit('layers', {}, dir);
  expect(text).toContain('the layers of a Spring Boot jar');
  expect(json).toMatchObject({ framework: { name: 'spring-boot' }, endpoints: { port: { value: 8111 } } });
});

test('a Spring Boot jar is told to be taken apart, and how to keep it', async () => {
  putJar('shop.jar', 'org.springframework.boot.loader.launch.JarLauncher', BOOT, 'shop.Shop');
  const { text } = await runInit(undefined, {}, dir);
  expect(text).toContain('  2 layers: a Spring Boot jar, taken apart');
  expect(read('crac-build.yaml')).toContain('  # extract: false # keeps the jar whole\n');
});
