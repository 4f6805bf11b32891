import { createPrivateKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { checkAttached } from '../../../src/attest/check-attached.ts';
import { composeAttestations, signImage } from '../../../src/attest/cosign-image.ts';
import { openEnvelope, signEnvelope } from '../../../src/attest/envelope.ts';
import type { Attached } from '../../../src/attest/read-attached.ts';
import { openSigner } from '../../../src/attest/signer.ts';
import { composeStatement, PREDICATES, STATEMENT_MEDIA_TYPE } from '../../../src/attest/statement.ts';
import { digestOf } from '../../../src/oci/blob-store.ts';
import { renderError } from '../../../src/report/render-error.ts';
import type { Signer } from '../../../src/world.ts';
import { expectGolden } from '../../support/golden.ts';

const IMAGE = digestOf('image');
const OTHER = digestOf('other');
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const strange = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = signBy(keys.privateKey);

function signBy(key: KeyObject): Signer {
  return { sign: async (data) => sign('sha256', data, createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' }))) };
}
const subject = (digest: string) => ({ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 });
const provenance = { buildDefinition: {}, runDetails: { builder: { id: 'https://shop/ci' } } };
const sbomOf = (digest: string) => ({
  bomFormat: 'CycloneDX',
  metadata: { component: { version: digest } },
  components: [{}, {}],
});
const statement = (digest: string, type: string, predicate: object) =>
  JSON.stringify(composeStatement('shop', digest, type, predicate));

/** What lies beside an image: as it is made, taken apart again. */
async function attach(digest: string, by: Signer = signer): Promise<Attached> {
  const artifact = await signImage(subject(digest), 'shop.example/shop', by);
  const manifest = JSON.parse(artifact.manifest.toString()) as { layers: { annotations: Record<string, string> }[] };
  const signature = manifest.layers[0]?.annotations['dev.cosignproject.cosign/signature'] ?? '';
  const statements = [
    statement(digest, PREDICATES.provenance, provenance),
    statement(digest, PREDICATES.sbom, sbomOf(digest)),
  ];
  const envelopes = await Promise.all(
    statements.map(async (text) => (await signEnvelope(STATEMENT_MEDIA_TYPE, Buffer.from(text), by)).toString()),
  );
  return {
    signatures: [
      { payload: artifact.blobs[1]?.content ?? Buffer.alloc(0), signature: Buffer.from(signature, 'base64') },
    ],
    envelopes,
    statements: statements.slice(0, 1),
    sboms: [JSON.stringify(sbomOf(digest))],
  };
}
const NOTHING: Attached = { signatures: [], envelopes: [], statements: [], sboms: [] };
const check = (attached: Attached, key?: KeyObject) =>
  checkAttached(attached, { imageDigest: IMAGE, key, sbom: true, provenance: true });
const codeOf = (attached: Attached, key?: KeyObject) => {
  try {
    check(attached, key);
    return undefined;
  } catch (error) {
    return [(error as { code: string }).code, (error as Error).message];
  }
};

test('signed by the key, with signed papers', async () => {
  expect(check(await attach(IMAGE), keys.publicKey)).toEqual({
    signedAs: ['shop.example/shop'],
    sbom: { components: 2, isSigned: true },
    provenance: { builder: 'https://shop/ci', isSigned: true },
  });
});

test('without a key, bare papers are enough', async () => {
  const { signatures: _, envelopes: _e, ...bare } = await attach(IMAGE);
  expect(check({ ...NOTHING, ...bare })).toMatchObject({ sbom: { isSigned: false }, provenance: { isSigned: false } });
});

test('nothing is demanded, nothing is refused', () => {
  const demands = { imageDigest: IMAGE, key: undefined, sbom: false, provenance: false };
  expect(checkAttached(NOTHING, demands)).toEqual({});
});

test('who signed is somebody else, or nobody', async () => {
  expect(codeOf(NOTHING, keys.publicKey)).toEqual(['SIGNATURE_INVALID', expect.stringContaining('is not signed')]);
  const foreign = await attach(IMAGE, signBy(strange.privateKey));
  expect(codeOf(foreign, keys.publicKey)).toEqual(['SIGNATURE_INVALID', expect.stringContaining('is by this key')]);
});

test('a good signature of another image is put beside this one', async () => {
  const moved = await attach(OTHER);
  expect(codeOf(moved, keys.publicKey)).toEqual(['SIGNATURE_INVALID', expect.stringContaining(`is of ${OTHER}`)]);
});

test('a changed payload has no good signature', async () => {
  const { signatures, ...rest } = await attach(IMAGE);
  const changed = signatures.map(({ payload, signature }) => ({
    payload: Buffer.from(payload.toString().replace('shop.example', 'evil.example')),
    signature,
  }));
  expect(codeOf({ ...rest, signatures: changed }, keys.publicKey)?.[0]).toBe('SIGNATURE_INVALID');
});

test('papers of another image, by another key, unsigned, or none', async () => {
  const [own, moved, foreign] = [
    await attach(IMAGE),
    await attach(OTHER),
    await attach(IMAGE, signBy(strange.privateKey)),
  ];
  const wrong = 'ATTESTATION_INVALID';
  expect(codeOf({ ...own, envelopes: moved.envelopes }, keys.publicKey)).toEqual([
    wrong,
    expect.stringContaining('another image'),
  ]);
  expect(codeOf({ ...own, envelopes: foreign.envelopes }, keys.publicKey)).toEqual([
    wrong,
    expect.stringContaining('has signed'),
  ]);
  expect(codeOf({ ...own, envelopes: [] }, keys.publicKey)?.[0]).toBe(wrong);
  expect(codeOf({ ...own, sboms: moved.sboms })).toEqual([wrong, expect.stringContaining('SBOM')]);
  expect(codeOf({ ...own, statements: moved.statements })).toEqual([wrong, expect.stringContaining('provenance')]);
  expect(codeOf({ ...own, statements: ['{', 'null'] })?.[0]).toBe(wrong);
});

/** The example of DSSE's protocol.md. */
test('an envelope is signed as DSSE wants it', async () => {
  const text = (await signEnvelope('http://example.com/HelloWorld', Buffer.from('hello world'), signer)).toString();
  const { signatures, payload } = JSON.parse(text) as { payload: string; signatures: { sig: string }[] };
  const signed = Buffer.from('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  expect(payload).toBe('aGVsbG8gd29ybGQ=');
  expect(verify('sha256', signed, keys.publicKey, Buffer.from(signatures[0]?.sig ?? '', 'base64'))).toBe(true);
  expect(openEnvelope(text, () => false)).toBeUndefined();
  expect(openEnvelope('{}', () => true)).toBeUndefined();
});

test('signature and attestations have the form and the names that cosign looks for', async () => {
  const tag = IMAGE.replace(':', '-');
  const signature = await signImage(subject(IMAGE), 'shop.example/shop', signer);
  expect(signature.tag).toBe(`${tag}.sig`);
  expect(JSON.parse(signature.blobs[1]?.content.toString() ?? '')).toEqual({
    critical: {
      identity: { 'docker-reference': 'shop.example/shop' },
      image: { 'docker-manifest-digest': IMAGE },
      type: 'cosign container image signature',
    },
    optional: null,
  });
  expect(JSON.parse(signature.manifest.toString())).toMatchObject({
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(signature.blobs[0]?.content ?? ''),
    },
    layers: [{ mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', digest: signature.blobs[1]?.digest }],
    subject: { digest: IMAGE },
  });
  const attestations = composeAttestations(subject(IMAGE), [{ predicateType: 'a', envelope: Buffer.from('{}') }]);
  expect(attestations.tag).toBe(`${tag}.att`);
  expect(JSON.parse(attestations.manifest.toString())).toMatchObject({
    layers: [{ mediaType: 'application/vnd.dsse.envelope.v1+json', annotations: { predicateType: 'a' } }],
  });
});

test('the words of each refusal', async () => {
  const [own, moved, foreign] = [
    await attach(IMAGE),
    await attach(OTHER),
    await attach(IMAGE, signBy(strange.privateKey)),
  ];
  const tell = (attached: Attached, key?: KeyObject) => {
    try {
      check(attached, key);
      return 'nothing is wrong\n';
    } catch (error) {
      return renderError(error);
    }
  };
  const texts = [
    tell(NOTHING, keys.publicKey),
    tell(foreign, keys.publicKey),
    tell(moved, keys.publicKey),
    tell({ ...own, envelopes: [] }, keys.publicKey),
    tell(NOTHING),
    tell({ ...own, statements: moved.statements }),
    tell(own, keys.publicKey),
  ];
  const signing = (argv: string[]) =>
    openSigner({ key: { kind: 'command', argv } }, {})
      .then((made) => made.sign(Buffer.from('x')))
      .then(() => 'signed', renderError);
  texts.push(await signing(['sh', '-c', 'echo no token >&2; exit 3']), await signing(['true']));
  texts.push(await openSigner({ key: { kind: 'environment', variable: 'KEY' } }, {}).then(() => 'opened', renderError));
  expectGolden('attest-errors.txt', texts.join('\n'));
});
