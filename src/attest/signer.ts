import { spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer, text } from 'node:stream/consumers';
import { CracBuildError } from '../errors.ts';
import type { SigningPlan } from '../plan/build-plan.ts';
import type { Signer } from '../world.ts';
import { decryptCosignKey, isCosignKey } from './cosign-key.ts';
import { checkSignature, readPublicKey, requireKnownKey } from './public-key.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A command that asks a person or a far-away service. */
const COMMAND_TIMEOUT_MS = 120_000;
/** Of encrypted keys; cosign's own name for it. */
const PASSWORD = 'COSIGN_PASSWORD';

/** Reads the key, so that a wrong one is told before anything is made. SIGN_FAILED. */
export async function openSigner(
  { key, publicKey }: SigningPlan,
  environment: Environment,
  signal?: AbortSignal,
): Promise<Signer> {
  const known = publicKey === undefined ? undefined : await readPublicKey(publicKey);
  if (key.kind === 'command') return checkEach({ sign: (data) => runSigningCommand(key.argv, data, signal) }, known);
  const pem = key.kind === 'environment' ? environment[key.variable] : await readKeyFile(key.path);
  const place = key.kind === 'environment' ? `the environment variable ${key.variable}` : key.path;
  if (pem === undefined || pem.trim() === '') throw refuse(`${place}, which is to hold the key, is empty`);
  const privateKey = parsePrivateKey(pem, place, environment[PASSWORD]);
  requireKnownKey(privateKey, place);
  const own: Signer = { sign: async (data) => sign(digestFor(privateKey), data, privateKey) };
  return checkEach(own, known ?? createPublicKey(privateKey));
}

/** Nothing is published that was not seen to be signed with the key. */
function checkEach({ sign: signData }: Signer, known: KeyObject | undefined): Signer {
  return {
    sign: async (data) => {
      const signature = await signData(data);
      if (known === undefined || checkSignature(known, data, signature)) return signature;
      throw refuse('the signature does not fit the public key', {
        hint: 'Give the public key (--sign-public-key) that belongs to the one that signs.',
      });
    },
  };
}

async function readKeyFile(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((cause: Error) => {
    throw refuse(`the key ${path} cannot be read: ${cause.message}`, { cause, hint: 'Correct --sign-key.' });
  });
}

function parsePrivateKey(pem: string, place: string, password: string | undefined): KeyObject {
  const isEncrypted = isCosignKey(pem) || /-----BEGIN ENCRYPTED /.test(pem);
  if (isEncrypted && password === undefined)
    throw refuse(`the key in ${place} is encrypted`, { hint: `Put its password into ${PASSWORD}.` });
  try {
    if (!isCosignKey(pem))
      return createPrivateKey({ key: pem, ...(password === undefined ? {} : { passphrase: password }) });
    const der = decryptCosignKey(pem, password ?? '');
    if (der !== undefined) return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch (cause) {
    if (!isEncrypted)
      throw refuse(`there is no private key in ${place}`, {
        cause,
        hint: 'Give PEM with an ECDSA P-256 or Ed25519 key, or a key that cosign has made.',
      });
    throw refuse(`the key in ${place} cannot be decrypted`, { cause, hint: `Correct the password in ${PASSWORD}.` });
  }
  throw refuse(`the key in ${place} cannot be decrypted`, { hint: `Correct the password in ${PASSWORD}.` });
}

/** Of node:crypto: Ed25519 has its own. */
function digestFor(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ec' ? 'sha256' : null;
}

/** Gives the data on stdin and takes the signature, in base64 or as it is, from stdout. */
async function runSigningCommand(argv: readonly string[], data: Buffer, signal?: AbortSignal): Promise<Buffer> {
  const [program = '', ...args] = argv;
  const timeout = AbortSignal.timeout(COMMAND_TIMEOUT_MS);
  const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const child = spawn(program, args, { stdio: 'pipe', signal: limit });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  child.stdin.on('error', () => undefined); // it did not want to read all; its exit code tells
  child.stdin.end(data);
  try {
    const [out, words, code] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
    if (code === 0) return decodeSignature(out);
    throw refuse(`the command that signs, ${program}, ended with ${code}`, { details: words.trim().split('\n') });
  } catch (cause) {
    if (cause instanceof CracBuildError) throw cause;
    throw refuse(`the command that signs, ${program}, does not run: ${(cause as Error).message}`, { cause });
  }
}

function decodeSignature(out: Buffer): Buffer {
  const words = out.toString('latin1').replaceAll(/\s+/g, '');
  if (words === '') throw refuse('the command that signs has printed nothing');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(words) && words.length % 4 === 0 ? Buffer.from(words, 'base64') : out;
}

function refuse(
  sentence: string,
  facts: { readonly cause?: unknown; readonly hint?: string; readonly details?: readonly string[] } = {},
): CracBuildError {
  return new CracBuildError('SIGN_FAILED', `cannot sign: ${sentence}`, {
    hint: 'Correct --sign-key (attestations.signKey). Nothing was published.',
    ...facts,
  });
}
