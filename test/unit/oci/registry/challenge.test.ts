import { parseChallenges } from '../../../../src/oci/registry/challenge.ts';

test.each<[string, string | string[] | undefined, unknown]>([
  ['none', undefined, []],
  ['one without parameters', 'Negotiate', [{ scheme: 'negotiate', parameters: {} }]],
  [
    'what registries send',
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:team/app:pull,push"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:team/app:pull,push',
        },
      },
    ],
  ],
  [
    'two in one header, with quotes inside',
    'Basic realm="a \\"b\\", c", BEARER Realm=x , error="invalid_token"',
    [
      { scheme: 'basic', parameters: { realm: 'a "b", c' } },
      { scheme: 'bearer', parameters: { realm: 'x', error: 'invalid_token' } },
    ],
  ],
  [
    'two headers',
    ['Bearer realm="r"', 'Basic realm="s"'],
    [
      { scheme: 'bearer', parameters: { realm: 'r' } },
      { scheme: 'basic', parameters: { realm: 's' } },
    ],
  ],
  ['parameters of nothing', 'realm="x"', []],
])('%s', (_name, header, expected) => {
  expect(parseChallenges(header)).toEqual(expected);
});
