import { execFileSync } from 'node:child_process';
import { createSign, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface TokenIssuer extends AsyncDisposable {
  /** What docker-registry is configured with. */
  readonly auth: object;
  /** Each request: who asked ("anonymous", "password", "identity-token"), and for what. */
  readonly asked: readonly { readonly who: string; readonly scopes: readonly string[] }[];
}

const USER = 'builder';
const SERVICE = 'registry.test';
const ISSUER = 'issuer.test';

/**
 * https://distribution.github.io/distribution/spec/auth/jwt/ with a key of its own. Everybody may pull from `public/…`; who has the
 * password, or the identity token, may do everything.
 */
export async function startTokenIssuer(dir: string, password: string, identityToken: string): Promise<TokenIssuer> {
  const key = join(dir, 'issuer.key');
  const certificate = join(dir, 'issuer.pem');
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      '-days',
      '2',
      '-subj',
      '/CN=issuer',
    ],
    { stdio: 'ignore' },
  );
  const asked: { who: string; scopes: readonly string[] }[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const { who, scopes } = await readRequest(incoming, password, identityToken);
    asked.push({ who, scopes });
    if (who === 'nobody') return void outgoing.writeHead(401).end('{}');
    const access = scopes.flatMap((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      const granted = actions
        .split(',')
        .filter((action) => who !== 'anonymous' || (action === 'pull' && name.startsWith('public/')));
      return granted.length === 0 ? [] : [{ type, name, actions: granted }];
    });
    const token = sign(readFileSync(key, 'utf8'), new X509Certificate(readFileSync(certificate)), access);
    outgoing.setHeader('content-type', 'application/json');
    // One protocol calls it so, the other so.
    outgoing.end(JSON.stringify(who === 'identity-token' ? { access_token: token } : { token, expires_in: 300 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    auth: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: certificate } },
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readRequest(incoming: IncomingMessage, password: string, identityToken: string) {
  if (incoming.method === 'POST') {
    const fields = new URLSearchParams(await text(incoming));
    const isRight = fields.get('grant_type') === 'refresh_token' && fields.get('refresh_token') === identityToken;
    return { who: isRight ? 'identity-token' : 'nobody', scopes: (fields.get('scope') ?? '').split(' ') };
  }
  const url = new URL(incoming.url ?? '', 'http://issuer');
  const scopes = url.searchParams.getAll('scope');
  const { authorization } = incoming.headers;
  if (authorization === undefined) return { who: 'anonymous', scopes };
  const isRight = authorization === `Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`;
  return { who: isRight ? 'password' : 'nobody', scopes };
}

function sign(key: string, certificate: X509Certificate, access: readonly object[]): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Math.floor(Date.now() / 1000);
  const header = { typ: 'JWT', alg: 'RS256', x5c: [certificate.raw.toString('base64')] };
  const claims = {
    iss: ISSUER,
    sub: USER,
    aud: SERVICE,
    exp: nowS + 300,
    nbf: nowS - 10,
    iat: nowS,
    jti: randomUUID(),
    access,
  };
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
}
