import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CracBuildError } from '../errors.ts';

/** PEM of a public key: ECDSA on P-256, or Ed25519. */
export async function readPublicKey(path: string): Promise<KeyObject> {
  const pem = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new CracBuildError('INPUT_NOT_FOUND', `the public key ${path} cannot be read: ${cause.message}`, {
      hint: 'Give the path of a public key in PEM, such as cosign.pub.',
      cause,
    });
  });
  const key = parsePublicKey(pem, path);
  requireKnownKey(key, path);
  return key;
}

function parsePublicKey(pem: string, path: string): KeyObject {
  try {
    if (/PRIVATE KEY-----/.test(pem)) throw new Error('it is a private key');
    return createPublicKey(pem);
  } catch (cause) {
    throw new CracBuildError('INPUT_INVALID', `there is no public key in ${path}: ${(cause as Error).message}`, {
      hint: 'Give a public key in PEM: `openssl pkey -in KEY -pubout` makes it of a private one.',
      cause,
    });
  }
}

/** https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#signature-schemes */
export function requireKnownKey(key: KeyObject, place: string): void {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (asymmetricKeyType === 'ed25519') return;
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return;
  const kind = [asymmetricKeyType, asymmetricKeyDetails?.namedCurve].filter((word) => word !== undefined).join(' ');
  throw new CracBuildError('INPUT_INVALID', `the key in ${place} is of the kind ${kind}`, {
    hint: 'Use ECDSA on the curve P-256, as cosign does, or Ed25519.',
  });
}

export function checkSignature(key: KeyObject, data: Buffer, signature: Buffer): boolean {
  return verify(key.asymmetricKeyType === 'ec' ? 'sha256' : null, data, key, signature);
}
