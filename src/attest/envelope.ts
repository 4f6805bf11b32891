import { z } from 'zod';
import type { Signer } from '../world.ts';

/** DSSE: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md */
const ENVELOPE = z.looseObject({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z.array(z.looseObject({ keyid: z.string().optional(), sig: z.base64() })).min(1),
});

export const ENVELOPE_MEDIA_TYPE = 'application/vnd.dsse.envelope.v1+json';

export async function signEnvelope(payloadType: string, payload: Buffer, signer: Signer): Promise<Buffer> {
  const signature = await signer.sign(encodeForSigning(payloadType, payload));
  const signatures = [{ keyid: '', sig: signature.toString('base64') }];
  return Buffer.from(JSON.stringify({ payloadType, payload: payload.toString('base64'), signatures }));
}

/** What an envelope says when any of its signatures is good; undefined when none is, or it is no envelope. */
export function openEnvelope(
  text: string,
  isGood: (data: Buffer, signature: Buffer) => boolean,
): { readonly payloadType: string; readonly payload: Buffer } | undefined {
  const parsed = ENVELOPE.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { payloadType, payload: encoded, signatures } = parsed.data;
  const payload = Buffer.from(encoded, 'base64');
  const signed = encodeForSigning(payloadType, payload);
  return signatures.some(({ sig }) => isGood(signed, Buffer.from(sig, 'base64')))
    ? { payloadType, payload }
    : undefined;
}

/** "DSSEv1" SP length SP type SP length SP payload. https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md#signature-definition */
function encodeForSigning(payloadType: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
