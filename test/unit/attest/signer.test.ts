import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, randomBytes, scryptSync, verify } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { openSigner } from '../../../src/attest/signer.ts';
import { parseSignKey } from '../../../src/config/words.ts';
import type { SigningKey, SigningPlan } from '../../../src/plan/build-plan.ts';

const DATA = Buffer.from('what is signed');
let dir: string;
let pem: string;
let publicPem: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'signer-test-'));
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  publicPem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
});
afterAll(() => rmSync(dir, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

function sign(key: SigningKey, environment: Record<string, string> = {}, rest: Partial<SigningPlan> = {}) {
  return openSigner({ key, ...rest }, environment).then((signer) => signer.sign(DATA));
}
const byFile = (content: string) => ({ kind: 'file', path: write('key.pem', content) }) as const;

test.each([
  ['env://SIGN_KEY', { kind: 'environment', variable: 'SIGN_KEY' }],
  ['command:kms sign --key 1', { kind: 'command', argv: ['kms', 'sign', '--key', '1'] }],
  ['keys/cosign.key', { kind: 'file', path: 'keys/cosign.key' }],
  ['env://', undefined],
  ['command:', undefined],
  ['awskms://key', undefined],
])('%s', (text, key) => {
  expect(parseSignKey(text)).toEqual(key);
});

test('openssl takes a signature by P-256 for good, and not one of something else', async () => {
  const signature = write('signature', await sign(byFile(pem)));
  const key = write('key.pub', publicPem);
  const check = (data: Buffer) =>
    execFileSync('openssl', ['dgst', '-sha256', '-verify', key, '-signature', signature], {
      input: data,
      stdio: 'pipe',
    }).toString();
  expect(check(DATA)).toContain('Verified OK');
  expect(() => check(Buffer.from('something else'))).toThrow();
});

test('openssl takes a signature by Ed25519 for good', async () => {
  const keys = generateKeyPairSync('ed25519');
  const signature = write(
    'signature',
    await sign(byFile(keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())),
  );
  const key = write('ed.pub', keys.publicKey.export({ type: 'spki', format: 'pem' }));
  const args = [
    'pkeyutl',
    '-verify',
    '-rawin',
    '-pubin',
    '-inkey',
    key,
    '-sigfile',
    signature,
    '-in',
    write('data', DATA),
  ];
  expect(execFileSync('openssl', args).toString()).toContain('Verified Successfully');
});

test('a key in the environment; an encrypted one needs its password', async () => {
  const key = { kind: 'environment', variable: 'K' } as const;
  expect(verify('sha256', DATA, publicPem, await sign(key, { K: pem }))).toBe(true);
  const encrypted = createEncrypted(pem);
  expect(verify('sha256', DATA, publicPem, await sign(key, { K: encrypted, COSIGN_PASSWORD: 'open' }))).toBe(true);
  await expect(sign(key, {})).rejects.toMatchObject({
    code: 'SIGN_FAILED',
    message: expect.stringContaining('is empty'),
  });
  await expect(sign(key, { K: encrypted })).rejects.toMatchObject({ hint: expect.stringContaining('COSIGN_PASSWORD') });
  await expect(sign(key, { K: encrypted, COSIGN_PASSWORD: 'wrong' })).rejects.toMatchObject({ code: 'SIGN_FAILED' });
});

function createEncrypted(text: string): string {
  return execFileSync('openssl', ['pkcs8', '-topk8', '-passout', 'pass:open'], {
    input: text,
    stdio: 'pipe',
  }).toString();
}

/** As cosign writes them. */
function createCosignKey(der: Buffer, password: string): string {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const params = { N: 65_536, r: 8, p: 1 };
  const key = scryptSync(password, salt, 32, { ...params, maxmem: 1 << 30 });
  const ciphertext = Buffer.from(nacl.secretbox(new Uint8Array(der), new Uint8Array(nonce), new Uint8Array(key)));
  const json = {
    kdf: { name: 'scrypt', params, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: ciphertext.toString('base64'),
  };
  const body = Buffer.from(JSON.stringify(json))
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n');
  return `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${body}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n`;
}

test('a key that cosign has encrypted', async () => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = byFile(createCosignKey(keys.privateKey.export({ type: 'pkcs8', format: 'der' }), 'sesame'));
  expect(verify('sha256', DATA, keys.publicKey, await sign(key, { COSIGN_PASSWORD: 'sesame' }))).toBe(true);
  const wrong = sign(key, { COSIGN_PASSWORD: 'barley' });
  await expect(wrong).rejects.toMatchObject({
    code: 'SIGN_FAILED',
    message: expect.stringContaining('cannot be decrypted'),
  });
});

test('a command gets the data and prints the signature, in base64 or as it is', async () => {
  const key = write('key.pem', pem);
  const script = (name: string, after: string) => {
    const path = write(name, `#!/bin/sh\nopenssl dgst -sha256 -sign "$1" ${after}\n`);
    chmodSync(path, 0o755);
    return { kind: 'command', argv: [path, key] } as const;
  };
  for (const command of [script('raw', ''), script('encoded', '| base64')])
    expect(verify('sha256', DATA, publicPem, await sign(command))).toBe(true);
  const other = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const publicKey = write('other.pub', other.export({ type: 'spki', format: 'pem' }).toString());
  await expect(sign(script('raw', ''), {}, { publicKey })).rejects.toMatchObject({
    code: 'SIGN_FAILED',
    message: expect.stringContaining('does not fit the public key'),
  });
});

test('a command that fails, says nothing or is not there', async () => {
  const by = (...argv: string[]) => sign({ kind: 'command', argv });
  await expect(by('sh', '-c', 'echo no token >&2; exit 3')).rejects.toMatchObject({
    code: 'SIGN_FAILED',
    details: ['no token'],
  });
  await expect(by('true')).rejects.toMatchObject({ message: expect.stringContaining('has printed nothing') });
  await expect(by('/nowhere/kms')).rejects.toMatchObject({ message: expect.stringContaining('does not run') });
});

test('what is no key, no longer there, or of another kind', async () => {
  await expect(sign(byFile('hello'))).rejects.toMatchObject({
    code: 'SIGN_FAILED',
    message: expect.stringContaining('no private key'),
  });
  await expect(sign({ kind: 'file', path: join(dir, 'nowhere') })).rejects.toMatchObject({ code: 'SIGN_FAILED' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  await expect(sign(byFile(rsa.toString()))).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining('rsa'),
  });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  await expect(sign(byFile(curve.toString()))).rejects.toMatchObject({ hint: expect.stringContaining('P-256') });
});
