import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OciImage } from '../../src/oci/image.ts';
import { composeDocuments } from '../../src/oci/manifest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { checkPush } from '../../src/oci/registry/check-push.ts';
import { errorToJson, renderError } from '../../src/report/render-error.ts';
import { type OwnRegistry, startRegistry } from './own-registry.ts';
import { composeAccess, makeImage, pull, push } from './registry-fixture.ts';
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts';

/** docker-registry behind TLS with passwords, and with tokens; what `docker login` and `podman login` leave behind. */
const PASSWORD = 'correct horse:battery';
const IDENTITY = 'the-identity-token';
let dir: string;
let image: OciImage;
let counter = 0;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'registry-auth-test-'));
  image = await makeImage(join(dir, 'image'), 1000, 'one');
});
afterAll(() => rmSync(dir, { recursive: true }));

const cacheDir = () => join(dir, `cache-${counter++}`);
const encode = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString('base64');

/** The folder of a config.json, for DOCKER_CONFIG. */
function writeDockerConfig(config: object): string {
  const folder = join(dir, `docker-${counter++}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

function accessWith(environment: Readonly<Record<string, string>>, insecureHosts: readonly string[] = []) {
  return composeAccess({
    environment: { HOME: '/nonexistent', PATH: `${join(dir, 'bin')}:/usr/bin:/bin`, ...environment },
    insecureHosts,
  });
}

/** A program that notes what it is asked, and answers. */
function writeHelper(name: string, script: string): void {
  const path = join(dir, 'bin', `docker-credential-${name}`);
  mkdirSync(join(dir, 'bin'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

describe('passwords over TLS, with an authority of its own', () => {
  let registry: OwnRegistry;
  let authority: string;
  let login: string;
  beforeAll(async () => {
    authority = join(dir, 'ca.pem');
    const tls = { certificate: join(dir, 'server.pem'), key: join(dir, 'server.key') };
    const openssl = (...argv: string[]) => execFileSync('openssl', argv, { stdio: 'ignore' });
    const request = (name: string, key: string, out: string) => [
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key],
      ...['-subj', `/CN=${name}`, '-out', out],
    ];
    openssl(...request('authority', join(dir, 'ca.key'), authority), '-x509', '-days', '2');
    openssl(...request('server', tls.key, join(dir, 'server.csr')));
    writeFileSync(join(dir, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:registry.test');
    const signing = ['-CA', authority, '-CAkey', join(dir, 'ca.key'), '-CAcreateserial', '-days', '2'];
    openssl(
      'x509',
      '-req',
      '-in',
      join(dir, 'server.csr'),
      ...signing,
      '-extfile',
      join(dir, 'names'),
      '-out',
      tls.certificate,
    );
    const htpasswd = join(dir, 'htpasswd');
    writeFileSync(htpasswd, 'builder:$2y$04$PICwq7Ri0szWqt/5spdEROrbXdbpMZHxZXHTseEC8uMfRp0ePheUa\n'); // bcrypt of PASSWORD
    registry = await startRegistry({ tls, auth: { htpasswd: { realm: 'test', path: htpasswd } } });
    login = writeDockerConfig({ auths: { [registry.host]: { auth: encode('builder', PASSWORD) } } });
  }, 30_000);
  afterAll(async () => registry?.[Symbol.asyncDispose]());

  const trusting = (environment: Readonly<Record<string, string>> = {}) =>
    accessWith({ NODE_EXTRA_CA_CERTS: authority, ...environment });
  const reference = () => `${registry.host}/team/app:1`;

  test('an authority that nobody vouches for is refused, and said how to trust it', async () => {
    await expect(push(image, reference(), accessWith({ DOCKER_CONFIG: login }))).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringMatching(/^the certificate of 127.0.0.1:\d+ is not trusted: /),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  test('SSL_CERT_FILE instead of the system’s, and --insecure, which does without', async () => {
    await push(image, reference(), accessWith({ DOCKER_CONFIG: login, SSL_CERT_FILE: authority }));
    await pull(reference(), cacheDir(), accessWith({ DOCKER_CONFIG: login }, [registry.host]));
  });

  test('without, and with wrong credentials: the same is told before a build as in a push', async () => {
    for (const attempt of [
      (access: ReturnType<typeof composeAccess>) => push(image, reference(), access),
      (access: ReturnType<typeof composeAccess>) => checkPush(parseReference(reference()), access),
      (access: ReturnType<typeof composeAccess>) => pull(reference(), cacheDir(), access),
    ]) {
      await expect(attempt(trusting())).rejects.toMatchObject({
        code: 'REGISTRY_DENIED',
        message: expect.stringMatching(/^127.0.0.1:\d+ refuses .*status 401/),
        hint: `No credentials for it were found: log in with \`docker login ${registry.host}\` or \`podman login ${registry.host}\`.`,
      });
      const wrong = writeDockerConfig({ auths: { [registry.host]: { auth: encode('builder', 'not-this-one') } } });
      const error = await attempt(trusting({ DOCKER_CONFIG: wrong })).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'REGISTRY_DENIED',
        hint: expect.stringContaining(join(wrong, 'config.json')),
      });
      for (const told of [renderError(error), JSON.stringify(errorToJson(error)), String((error as Error).stack)]) {
        expect(told).not.toContain('not-this-one');
        expect(told).not.toContain(encode('builder', 'not-this-one'));
      }
    }
  });

  test('config.json of Docker, and auth.json of Podman, which has repositories', async () => {
    expect(await push(image, reference(), trusting({ DOCKER_CONFIG: login }))).toBeGreaterThanOrEqual(0);
    const auth = { auth: encode('builder', PASSWORD) };
    const podman = join(dir, 'auth.json');
    writeFileSync(
      podman,
      JSON.stringify({ auths: { [registry.host]: { auth: encode('x', 'y') }, [`${registry.host}/team`]: auth } }),
    );
    await pull(reference(), cacheDir(), trusting({ REGISTRY_AUTH_FILE: podman, DOCKER_CONFIG: login }));
    await expect(
      pull(reference().replace('team', 'other'), cacheDir(), trusting({ REGISTRY_AUTH_FILE: podman })),
    ).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
    mkdirSync(join(dir, 'run/containers'), { recursive: true });
    writeFileSync(
      join(dir, 'run/containers/auth.json'),
      JSON.stringify({ auths: { [`https://${registry.host}/v2/`]: auth } }),
    );
    await pull(reference(), cacheDir(), trusting({ XDG_RUNTIME_DIR: join(dir, 'run') }));
    mkdirSync(join(dir, 'home/.docker'), { recursive: true });
    writeFileSync(join(dir, 'home/.docker/config.json'), JSON.stringify({ auths: { [registry.host]: auth } }));
    await pull(reference(), cacheDir(), trusting({ HOME: join(dir, 'home') }));
  });

  test('credential helpers: for a host, and the store for all', async () => {
    const answer = JSON.stringify({ ServerURL: registry.host, Username: 'builder', Secret: PASSWORD });
    writeHelper('good', `[ "$1" = get ] && read -r server && echo "$server" >>'${dir}/asked' && echo '${answer}'`);
    writeHelper('empty', 'echo "credentials not found in native keychain"; exit 1');
    writeHelper('broken', 'echo "the keyring is locked" >&2; exit 2');
    writeHelper('strange', 'echo "secret words"');
    await pull(
      reference(),
      cacheDir(),
      trusting({
        DOCKER_CONFIG: writeDockerConfig({ credsStore: 'broken', credHelpers: { [registry.host]: 'good' } }),
      }),
    );
    await pull(reference(), cacheDir(), trusting({ DOCKER_CONFIG: writeDockerConfig({ credsStore: 'good' }) }));
    expect(readFileSync(join(dir, 'asked'), 'utf8')).toBe(`${registry.host}\n${registry.host}\n`);
    const withStore = (credsStore: string) =>
      pull(reference(), cacheDir(), trusting({ DOCKER_CONFIG: writeDockerConfig({ credsStore }) }));
    await expect(withStore('empty')).rejects.toMatchObject({
      code: 'REGISTRY_DENIED',
      message: expect.stringContaining('401'),
    });
    await expect(withStore('broken')).rejects.toMatchObject({
      code: 'REGISTRY_DENIED',
      message: 'docker-credential-broken gives no credentials: the keyring is locked',
    });
    await expect(withStore('missing')).rejects.toMatchObject({
      message: 'docker-credential-missing gives no credentials: there is no such command in PATH',
    });
    const strange = await withStore('strange').catch((error: unknown) => renderError(error));
    expect(strange).toContain('not of the agreed form');
    expect(strange).not.toContain('secret words');
  });

  test('through a proxy, where the environment names one, by a name that only the proxy knows', async () => {
    const asked: string[] = [];
    const proxy = createServer((client) => tunnel(client, registry.port, asked));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const docker = writeDockerConfig({ auths: { 'registry.test': { auth: encode('builder', PASSWORD) } } });
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      const access = trusting({ HTTPS_PROXY: address, DOCKER_CONFIG: docker });
      await pull('registry.test/team/app:1', cacheDir(), access);
      expect(new Set(asked)).toEqual(new Set(['CONNECT registry.test:443 HTTP/1.1']));
      const not = trusting({ HTTPS_PROXY: address, NO_PROXY: 'registry.test', DOCKER_CONFIG: docker });
      await expect(pull('registry.test/team/app:1', cacheDir(), not)).rejects.toMatchObject({
        code: 'REGISTRY_FAILED',
      });
    } finally {
      proxy.close();
    }
  });
});

/** What a proxy does for CONNECT: from then on it passes bytes on, here always to that port. */
function tunnel(client: Socket, port: number, asked: string[]): void {
  client.once('data', (head) => {
    asked.push(head.toString().split('\r\n')[0] ?? '');
    const server = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(server).pipe(client);
    });
    server.on('error', () => client.destroy());
  });
  client.on('error', () => undefined);
}

describe('tokens', () => {
  let registry: OwnRegistry;
  let issuer: TokenIssuer;
  beforeAll(async () => {
    issuer = await startTokenIssuer(dir, PASSWORD, IDENTITY);
    registry = await startRegistry({ auth: issuer.auth });
  }, 30_000);
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await issuer?.[Symbol.asyncDispose]();
  });
  const withAuth = (entry: object) =>
    accessWith({ DOCKER_CONFIG: writeDockerConfig({ auths: { [registry.host]: entry } }) });
  const withPassword = () => withAuth({ auth: encode('builder', PASSWORD) });

  test('with a password: one token for all that a push needs', async () => {
    const first = issuer.asked.length;
    await push(image, `${registry.host}/public/app:1`, withPassword());
    expect(issuer.asked.slice(first)).toEqual([{ who: 'password', scopes: ['repository:public/app:pull,push'] }]);
  });

  test('anonymous, where that is allowed', async () => {
    const first = issuer.asked.length;
    const { digest } = await pull(`${registry.host}/public/app:1`, cacheDir(), accessWith({}));
    expect(digest).toBe(composeDocuments(image).manifestDigest);
    expect(issuer.asked.slice(first)).toEqual([{ who: 'anonymous', scopes: ['repository:public/app:pull'] }]);
    for (const attempt of [
      () => push(image, `${registry.host}/public/app:2`, accessWith({})),
      () => checkPush(parseReference(`${registry.host}/public/app:2`), accessWith({})),
      () => pull(`${registry.host}/private/app:1`, cacheDir(), accessWith({})),
    ])
      await expect(attempt()).rejects.toMatchObject({
        code: 'REGISTRY_DENIED',
        hint: expect.stringContaining('log in'),
      });
  });

  test('with an identity token, from the file and from a helper', async () => {
    const first = issuer.asked.length;
    await push(
      image,
      `${registry.host}/private/app:1`,
      withAuth({ auth: encode('00000000', ''), identitytoken: IDENTITY }),
    );
    writeHelper('identity', `cat >/dev/null; echo '{"Username": "<token>", "Secret": "${IDENTITY}"}'`);
    const docker = writeDockerConfig({ credHelpers: { [registry.host]: 'identity' } });
    await pull(`${registry.host}/private/app:1`, cacheDir(), accessWith({ DOCKER_CONFIG: docker }));
    expect(new Set(issuer.asked.slice(first).map(({ who }) => who))).toEqual(new Set(['identity-token']));
  });

  test('refused: by the issuer', async () => {
    await expect(
      pull(`${registry.host}/private/app:1`, cacheDir(), withAuth({ auth: encode('builder', 'wrong') })),
    ).rejects.toMatchObject({ code: 'REGISTRY_DENIED', message: expect.stringContaining('a token from 127.0.0.1') });
  });

  test('to mount, the other repository is asked for as well', async () => {
    await push(image, `${registry.host}/team/base:1`, withPassword());
    const first = issuer.asked.length;
    expect(await push(image, `${registry.host}/team/app:1`, withPassword(), ['team/base'])).toBe(0);
    expect(issuer.asked.slice(first)).toContainEqual({
      who: 'password',
      scopes: ['repository:team/app:pull,push', 'repository:team/base:pull'],
    });
  });

  test('a check before a build leaves nothing', async () => {
    await checkPush(parseReference(`${registry.host}/team/new:1`), withPassword());
    expect(registry.countUploads()).toBe(0);
    await expect(pull(`${registry.host}/team/new:1`, cacheDir(), withPassword())).rejects.toMatchObject({
      code: 'INPUT_NOT_FOUND',
    });
  });
});
