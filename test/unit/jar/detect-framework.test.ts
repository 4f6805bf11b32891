import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { detectFramework } from '../../../src/jar/detect-framework.ts';
import { inspectJar } from '../../../src/jar/inspect-jar.ts';
import { readJarContents } from '../../../src/jar/read-jar-contents.ts';
import { makeZip } from './make-zip.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'framework-test-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A jar with a manifest, and files beside it. */
async function detect(
  name: string,
  manifest: string,
  files: Readonly<Record<string, string>>,
  beside: readonly string[] = [],
) {
  const path = join(dir, name, 'app.jar');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, makeZip({ 'META-INF/MANIFEST.MF': manifest, ...files }));
  for (const file of beside) {
    mkdirSync(dirname(join(dir, name, file)), { recursive: true });
    writeFileSync(join(dir, name, file), makeZip({ 'a.txt': '' }));
  }
  return detectFramework(await readJarContents(await inspectJar(path)));
}

test('Spring Boot: its libraries are jars in the jar, its version is in the manifest', async () => {
  const manifest =
    'Main-Class: org.springframework.boot.loader.launch.JarLauncher\nStart-Class: shop.Main\nSpring-Boot-Version: 3.5.1\n\n';
  const files = {
    'BOOT-INF/lib/spring-boot-3.5.1.jar': 'PK',
    'BOOT-INF/lib/tomcat-embed-core-10.1.42.jar': 'PK',
    'BOOT-INF/lib/netty-transport-4.1.100.Final.jar': 'PK',
  };
  expect(await detect('boot', manifest, files)).toEqual({
    name: 'spring-boot',
    title: 'Spring Boot',
    version: '3.5.1',
    evidence: 'BOOT-INF/lib/spring-boot-3.5.1.jar',
  });
});

test('Spring Boot without a library by that name is told by who starts it', async () => {
  expect(await detect('thin', 'Main-Class: org.springframework.boot.loader.PropertiesLauncher\n\n', {})).toEqual({
    name: 'spring-boot',
    title: 'Spring Boot',
    evidence: 'Main-Class: org.springframework.boot.loader.PropertiesLauncher',
  });
});

test('Quarkus: its parts lie beside the jar, with the group in their names', async () => {
  const manifest =
    'Main-Class: io.quarkus.bootstrap.runner.QuarkusEntryPoint\nClass-Path: lib/boot/io.quarkus.quarkus-bootstrap-runner-3.15.1.jar\n\n';
  const beside = [
    'app/shop-1.0.jar',
    'lib/boot/io.quarkus.quarkus-bootstrap-runner-3.15.1.jar',
    'lib/main/io.quarkus.quarkus-core-3.15.1.jar',
    'lib/main/io.vertx.vertx-core-4.5.1.jar',
    'quarkus/quarkus-application.dat',
  ];
  expect(await detect('quarkus', manifest, {}, beside)).toEqual({
    name: 'quarkus',
    title: 'Quarkus',
    version: '3.15.1',
    evidence: 'lib/main/io.quarkus.quarkus-core-3.15.1.jar',
  });
});

test('libraries that were merged into the jar are told by pom.properties, with their version', async () => {
  const files = {
    'META-INF/maven/io.vertx/vertx-core/pom.properties': '#Created\nartifactId=vertx-core\nversion=5.0.1\n',
    'META-INF/maven/shop/shop/pom.properties': 'version=1.0\n',
  };
  expect(await detect('shaded', 'Main-Class: shop.Main\n\n', files)).toEqual({
    name: 'vertx',
    title: 'Vert.x',
    version: '5.0.1',
    evidence: 'META-INF/maven/io.vertx/vertx-core/pom.properties',
  });
});

test.each([
  ['spring-boot', 'org/springframework/boot/SpringApplication.class'],
  ['quarkus', 'io/quarkus/runtime/Application.class'],
  ['micronaut', 'io/micronaut/runtime/Micronaut.class'],
  ['helidon', 'io/helidon/webserver/WebServer.class'],
  ['vertx', 'io/vertx/core/Vertx.class'],
  ['tomcat', 'org/apache/catalina/startup/Tomcat.class'],
  ['jetty', 'org/eclipse/jetty/server/Server.class'],
  ['netty', 'io/netty/bootstrap/ServerBootstrap.class'],
])('%s, merged into the jar without a trace of its version, is told by its class', async (name, file) => {
  expect(await detect(`classes-${name}`, 'Main-Class: shop.Main\n\n', { [file]: 'x' })).toMatchObject({
    name,
    evidence: file,
  });
});

test('libraries that the manifest names beside the jar', async () => {
  const manifest =
    'Main-Class: shop.Main\nClass-Path: libs/helidon-webserver-4.1.0.jar libs/netty-transport-4.1.jar\n\n';
  expect(await detect('class-path', manifest, {})).toMatchObject({ name: 'helidon', version: '4.1.0' });
});

test('a plain app, with libraries that are no frameworks and names that begin alike', async () => {
  const files = { 'lib/spring-boot-admin-1.0.jar': 'PK', 'lib/jetty-server-tools.jar': 'PK', 'shop/Main.class': 'x' };
  expect(await detect('plain', 'Main-Class: shop.Main\n\n', files)).toMatchObject({ name: 'plain' });
});
