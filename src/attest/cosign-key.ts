import { scryptSync } from 'node:crypto';
import nacl from 'tweetnacl';
import { z } from 'zod';

/**
 * cosign's own encrypted private keys: a PEM block with base64 of JSON. scrypt makes a key of the password, NaCl's
 * secretbox holds PKCS #8 in DER.
 * https://github.com/secure-systems-lab/go-securesystemslib/blob/main/encrypted/encrypted.go
 */
const KEY_FILE = z.looseObject({
  kdf: z.looseObject({
    name: z.literal('scrypt'),
    params: z.looseObject({ N: z.int().positive(), r: z.int().positive(), p: z.int().positive() }),
    salt: z.base64(),
  }),
  cipher: z.looseObject({ name: z.literal('nacl/secretbox'), nonce: z.base64() }),
  ciphertext: z.base64(),
});
const BLOCK = /-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----([\s\S]*?)-----END/;
const KEY_BYTES = 32;
/** scrypt needs 128 * N * r bytes; cosign's N is 65536 and r 8. */
const MAX_MEMORY_BYTES = 512 << 20;

export function isCosignKey(pem: string): boolean {
  return BLOCK.test(pem);
}

/** PKCS #8 in DER; undefined where the password is not that of the key. Throws where it is no such key. */
export function decryptCosignKey(pem: string, password: string): Buffer | undefined {
  const block = BLOCK.exec(pem)?.[1] ?? '';
  const { kdf, cipher, ciphertext } = KEY_FILE.parse(JSON.parse(Buffer.from(block, 'base64').toString('utf8')));
  const { N, r, p } = kdf.params;
  const key = scryptSync(password, Buffer.from(kdf.salt, 'base64'), KEY_BYTES, { N, r, p, maxmem: MAX_MEMORY_BYTES });
  const opened = nacl.secretbox.open(
    Buffer.from(ciphertext, 'base64'),
    Buffer.from(cipher.nonce, 'base64'),
    new Uint8Array(key),
  );
  return opened ? Buffer.from(opened) : undefined;
}
