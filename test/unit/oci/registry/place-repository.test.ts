import { parseReference } from '../../../../src/oci/reference.ts';
import { isLoopback, placeRepository } from '../../../../src/oci/registry/place-repository.ts';

test.each([
  ['debian', 'docker.io', 'registry-1.docker.io', 'library/debian'],
  ['eclipse-temurin:21', 'docker.io', 'registry-1.docker.io', 'library/eclipse-temurin'],
  ['team/app', 'docker.io', 'registry-1.docker.io', 'team/app'],
  ['docker.io/debian', 'docker.io', 'registry-1.docker.io', 'library/debian'],
  ['docker.io/team/app', 'docker.io', 'registry-1.docker.io', 'team/app'],
  ['registry.example/app', 'registry.example', 'registry.example', 'app'],
  ['localhost:5000/a/b/c:1', 'localhost:5000', 'localhost:5000', 'a/b/c'],
])('%s', (text, host, apiHost, name) => {
  expect(placeRepository(parseReference(text))).toEqual({ host, apiHost, name });
});

test('what stays on this machine', () => {
  expect(['localhost', 'localhost:5000', '127.0.0.1:1', '127.1.2.3', 'x.localhost'].every(isLoopback)).toBe(true);
  expect(
    ['registry.example', 'localhost.example', '128.0.0.1', '127.0.0.1.example', '10.0.0.1:5000'].some(isLoopback),
  ).toBe(false);
});
