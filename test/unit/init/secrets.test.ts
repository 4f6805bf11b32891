import { hasSecretValue, isSecret, isSecretName, maskJson, maskPath } from '../../../src/init/secrets.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2ln';

test.each(
  'Authorization x-auth-token X-API-Key apiKey api_key accessToken access_token password user_password passwd PIN sessionId JSESSIONID csrf-token X-XSRF-TOKEN client_secret clientSecret id_token privateKey Ocp-Apim-Subscription-Key x-functions-key signature SAMLAssertion nonce'.split(
    ' ',
  ),
)('%s is the name of a secret', (name) => expect(isSecretName(name)).toBe(true));

test.each(
  'accept content-type author authority keyboard key sort page passenger tokenizer pinned x-shop-client design monkey'.split(
    ' ',
  ),
)('%s is not', (name) => expect(isSecretName(name)).toBe(false));

test.each([
  JWT,
  `Bearer ${JWT}`,
  'Basic YW5uYTpwYXNz',
  '-----BEGIN PRIVATE KEY-----',
  `AKIA${'A1'.repeat(8)}`,
  `ghp_${'a1'.repeat(18)}`,
])('%s is a secret whatever its name', (value) => expect(hasSecretValue(`x ${value} y`)).toBe(true));

test.each([
  'blue chair',
  '12345678901234567890',
  '123e4567-e89b-42d3-a456-426614174000',
  'basic training',
  'sk-1',
  'https://shop.example/a?b=c',
])('%s is none', (value) => expect(hasSecretValue(value)).toBe(false));

test('code and key are secrets where they look drawn by chance', () => {
  expect(isSecret('code', '4/0AX4XfWh9x8c7v6b5')).toBe(true);
  expect(isSecret('key', 'a1b2c3d4e5f6a7b8c9')).toBe(true);
  expect(isSecret('code', 'SUMMER20')).toBe(false);
  expect(isSecret('key', 'description-of-the-item')).toBe(false);
});

test('a path: parameters keep their place and all others their bytes', () => {
  expect(maskPath('/a?x=1&access%5Ftoken=abc&y=%20+&z&password=')).toEqual({
    path: '/a?x=1&access%5Ftoken=REPLACE-ME&y=%20+&z&password=REPLACE-ME',
    masked: ['access_token', 'password'],
  });
  expect(maskPath('/a?x=%zz')).toEqual({ path: '/a?x=%zz', masked: [] });
  expect(maskPath(`/verify/${JWT}`)).toBeUndefined();
  expect(maskPath('/a;jsessionid=1F?x=1')).toBeUndefined();
});

test('JSON: wherever it stands, by name or by value', () => {
  const value = {
    user: { name: 'anna', password: 's' },
    tokens: ['a', { b: 1 }],
    note: `x ${JWT}`,
    pin: '',
    secret: null,
  };
  expect(maskJson(value)).toEqual({
    value: {
      user: { name: 'anna', password: 'REPLACE-ME' },
      tokens: ['REPLACE-ME', { b: 1 }],
      note: 'REPLACE-ME',
      pin: '',
      secret: null,
    },
    masked: ['user.password', 'tokens[0]', 'note'],
  });
});
