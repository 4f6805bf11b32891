import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CracBuildError } from '../../../../src/errors.ts';
import { findAuth, readAuthFile } from '../../../../src/oci/registry/auth-file.ts';
import { listAuthFiles } from '../../../../src/oci/registry/credentials.ts';
import { renderError } from '../../../../src/report/render-error.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');
const place = (host: string, name = 'team/app') => ({ host, apiHost: host, name });

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'auth-file-test-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('keys are hosts, addresses, and repositories, of which the longest wins', () => {
  const auths = {
    'https://index.docker.io/v1/': { auth: encode('hub:1') },
    'registry.example': { auth: encode('host:2') },
    'registry.example/team': { auth: encode('team:3') },
    'registry.example/team/app': { auth: encode('app:4:5') },
    'http://other.example:5000/v2/': { auth: encode('other:6') },
    'empty.example': {},
    'plain.example': { username: 'plain', password: '7' },
    'token.example': { auth: encode('0000:'), identitytoken: 'the token' },
  };
  const find = (host: string, name?: string) => findAuth({ auths }, place(host, name));
  const password = (user: string, password: string) => ({ kind: 'password', user, password });
  expect(find('docker.io', 'library/debian')).toEqual(password('hub', '1'));
  expect(find('registry.example', 'x')).toEqual(password('host', '2'));
  expect(find('registry.example', 'team/b')).toEqual(password('team', '3'));
  expect(find('registry.example', 'team/app')).toEqual(password('app', '4:5'));
  expect(find('registry.example', 'teams/app')).toEqual(password('host', '2'));
  expect(find('other.example:5000')).toEqual(password('other', '6'));
  expect(find('other.example')).toBeUndefined();
  expect(find('empty.example')).toBeUndefined();
  expect(find('plain.example')).toEqual(password('plain', '7'));
  expect(find('token.example')).toEqual({ kind: 'identity-token', token: 'the token' });
});

test('where they are looked for: what is named first', () => {
  expect(listAuthFiles({ HOME: '/h' })).toEqual(['/h/.config/containers/auth.json', '/h/.docker/config.json']);
  expect(
    listAuthFiles({
      HOME: '/h',
      REGISTRY_AUTH_FILE: '/a',
      DOCKER_CONFIG: '/d',
      XDG_RUNTIME_DIR: '/r',
      XDG_CONFIG_HOME: '/c',
    }),
  ).toEqual(['/a', '/d/config.json', '/r/containers/auth.json', '/c/containers/auth.json']);
});

test('a file that is not there is none, and one that is of another form is an error that tells no secret', async () => {
  expect(await readAuthFile(join(dir, 'none'))).toBeUndefined();
  const path = join(dir, 'config.json');
  const secret = encode('user:secret');
  for (const [text, words] of [
    [`{"auths": {"x": {"auth": "${secret}"}`, 'is no JSON'],
    [secret, 'is no JSON'],
    [`{"auths": {"x": {"auth": ["${secret}"]}}}`, 'has what is not expected there: auths.x.auth'],
    [`["${secret}"]`, 'has what is not expected there: the whole'],
  ] as const) {
    writeFileSync(path, text);
    const error = (await readAuthFile(path).catch((thrown: unknown) => thrown)) as CracBuildError;
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `the file of registry credentials ${path} ${words}`,
    });
    expect(renderError(error) + String(error.stack) + String(error.cause)).not.toContain(secret.slice(0, 6));
  }
  rmSync(path);
  writeFileSync(join(dir, 'folder'), '');
  expect(await readAuthFile(join(dir, 'folder', 'config.json'))).toBeUndefined();
  chmodSync(dir, 0o700);
  await expect(readAuthFile(dir)).rejects.toMatchObject({
    message: expect.stringContaining('cannot be read (EISDIR)'),
  });
});
