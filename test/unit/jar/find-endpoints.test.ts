import { readAppSettings } from '../../../src/jar/app-settings.ts';
import { parseArtifact } from '../../../src/jar/artifacts.ts';
import { detectFramework } from '../../../src/jar/detect-framework.ts';
import { findEndpoints } from '../../../src/jar/find-endpoints.ts';

/** `libraries`: names of jar files, or of classes in the jar; `properties`: lines, separated by "; ", with § for $. */
function look(libraries: string, properties = '') {
  const names = libraries.split(' ');
  const entries = names.filter((name) => name.endsWith('.class'));
  const artifacts = names.flatMap((name) => parseArtifact(name) ?? []);
  const settings = readAppSettings([
    { name: 'application.properties', text: properties.replaceAll('; ', '\n').replaceAll('§', '$') },
  ]);
  const framework = detectFramework({ manifest: new Map(), entries, artifacts });
  return findEndpoints(framework, { settings, artifacts, entries });
}

const BOOT = 'spring-boot-3.5.1.jar tomcat-embed-core-10.1.42.jar';
const ACTUATOR = `${BOOT} spring-boot-actuator-3.5.1.jar`;

test.each([
  ['without actuator', BOOT, '', 8080, undefined],
  ['with actuator', ACTUATOR, '', 8080, '8080/actuator/health'],
  ['another port', ACTUATOR, 'server.port=9090', 9090, '9090/actuator/health'],
  ['a port from the environment', ACTUATOR, 'server.port=§{PORT:7000}', 7000, '7000/actuator/health'],
  ['a context path', ACTUATOR, 'server.servlet.context-path=/shop', 8080, '8080/shop/actuator/health'],
  ['WebFlux with a base path', ACTUATOR, 'spring.webflux.base-path=/flux', 8080, '8080/flux/actuator/health'],
  [
    'a management port of its own, to which the context path does not apply',
    ACTUATOR,
    'management.server.port=8081; server.servlet.context-path=/shop; management.endpoints.web.base-path=/manage',
    8080,
    '8081/manage/health',
  ],
  ['the endpoint at the root', ACTUATOR, 'management.endpoints.web.base-path=/', 8080, '8080/health'],
  ['another name', ACTUATOR, 'management.endpoints.web.path-mapping.health=alive', 8080, '8080/actuator/alive'],
  ['not exposed', ACTUATOR, 'management.endpoints.web.exposure.exclude=env, health', 8080, undefined],
  ['switched off', ACTUATOR, 'management.endpoint.health.enabled=false', 8080, undefined],
  ['no access', ACTUATOR, 'management.endpoint.health.access=none', 8080, undefined],
  ['no management at all', ACTUATOR, 'management.server.port=-1', 8080, undefined],
  ['Quarkus', 'quarkus-core-3.15.1.jar', '', 8080, undefined],
  [
    'Quarkus with health',
    'io.quarkus.quarkus-core-3.jar io.quarkus.quarkus-smallrye-health-3.jar',
    '',
    8080,
    '8080/q/health',
  ],
  [
    'Quarkus, all of it elsewhere',
    'quarkus-core-3.jar quarkus-smallrye-health-3.jar',
    'quarkus.http.port=1; %prod.quarkus.http.port=8088; quarkus.http.root-path=/api; quarkus.http.non-application-root-path=own',
    8088,
    '8088/api/own/health',
  ],
  [
    'Quarkus with a path from the root',
    'quarkus-core-3.jar quarkus-smallrye-health-3.jar',
    'quarkus.http.root-path=/api; quarkus.smallrye-health.root-path=/alive',
    8080,
    '8080/alive',
  ],
  [
    'Quarkus with a management port',
    'quarkus-core-3.jar quarkus-smallrye-health-3.jar',
    'quarkus.management.enabled=true',
    8080,
    '9000/q/health',
  ],
  ['Micronaut', 'micronaut-context-4.5.jar', 'micronaut.server.port=8090', 8090, undefined],
  ['Micronaut with management', 'micronaut-context-4.5.jar micronaut-management-4.5.jar', '', 8080, '8080/health'],
  [
    'Micronaut merged into one jar, with paths and a port of its own',
    'io/micronaut/runtime/Micronaut.class io/micronaut/management/endpoint/health/HealthEndpoint.class',
    'micronaut.server.context-path=/shop; endpoints.all.path=/manage; endpoints.all.port=8085',
    8080,
    '8085/shop/manage/health',
  ],
  [
    'Micronaut, switched off',
    'micronaut-context-4.5.jar micronaut-management-4.5.jar',
    'endpoints.health.enabled=false',
    8080,
    undefined,
  ],
  [
    'Helidon SE, its port given',
    'helidon-webserver-4.jar helidon-webserver-observe-health-4.jar',
    'server.port=8085',
    8085,
    '8085/observe/health',
  ],
  [
    'Helidon MP',
    'helidon-webserver-4.jar helidon-microprofile-server-4.jar helidon-microprofile-health-4.jar',
    '',
    7001,
    '7001/health',
  ],
  ['Jetty', 'jetty-server-12.0.jar', '', 8080, undefined],
])('%s', (_, libraries, properties, port, health) => {
  const found = look(libraries, properties);
  expect(found.port.value).toBe(port);
  expect(found.health === undefined ? undefined : `${found.health.port}${found.health.path}`).toBe(health);
});

test('what is not known is said to be a guess', () => {
  expect(look('shop-1.jar').port.reason).toMatch(/^a guess: where a plain Java app listens/);
  expect(look('vertx-core-5.jar').port.reason).toMatch(/^a guess: where an app with Vert\.x listens/);
  expect(look('helidon-webserver-4.jar').port.reason).toMatch(/^a guess/);
  expect(look(BOOT, 'server.port=0').port).toEqual({
    value: 8080,
    reason: 'a guess: server.port in application.properties is a free port each time: give it one',
  });
  expect(look(BOOT, 'server.port=http').port.reason).toMatch(/http, which is no port$/);
});

test('what must be known besides: TLS, Spring Security, no server at all', () => {
  expect(look(BOOT, 'server.ssl.key-store=a.p12').tls).toBe('server.ssl.key-store in application.properties');
  expect(look(BOOT).tls).toBeUndefined();
  expect(look(`${BOOT} spring-security-web-6.jar`).notes).toEqual([expect.stringContaining('Spring Security')]);
  expect(look('spring-boot-3.5.1.jar').notes).toEqual([expect.stringContaining('No web server')]);
  expect(look(BOOT).notes).toEqual([]);
});
