import { isInsecure } from '../../../../src/oci/registry/is-insecure.ts';
import { openTransport } from '../../../../src/oci/registry/transport.ts';

/** What can be told without any connection. */
const open = (apiHost: string, insecureHosts: readonly string[] = []) =>
  openTransport(apiHost, {
    environment: { HOME: '/nonexistent' },
    insecureHosts,
    signal: AbortSignal.abort(new Error('it would connect')),
  });
const get = (url: string) => ({ method: 'GET', url: new URL(url), headers: {} }) as const;

test.each([
  ['Registry.Example', 'https://registry.example'],
  ['registry.example:443', 'https://registry.example'],
  ['registry.example:5000', 'https://registry.example:5000'],
])('the origin of %s is as those of addresses', async (apiHost, origin) => {
  await using transport = await open(apiHost);
  expect(transport.origin).toBe(origin);
});

test('an encrypted registry sends nobody to where nothing is encrypted', async () => {
  await using transport = await open('registry.example', ['storage.example:80']);
  await expect(transport.send(get('http://other.example/upload?state=secret'))).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
    message: expect.stringContaining('it leads to http://other.example, which is not encrypted'),
  });
  for (const url of ['https://other.example/', 'http://storage.example/', 'http://localhost:1/'])
    await expect(transport.send(get(url))).rejects.toThrow('it would connect');
});

test.each([
  ['https://registry.example/', 'registry.example:443', true],
  ['https://registry.example/', 'Registry.Example', true],
  ['http://registry.example/', 'registry.example:80', true],
  ['https://registry.example:5000/', 'registry.example', false],
  ['https://registry.example/', 'other.example', false],
  ['https://registry.example/', 'no host', false],
])('%s, where %s is insecure: %s', (url, named, expected) => {
  expect(isInsecure(new URL(url), [named])).toBe(expected);
});
