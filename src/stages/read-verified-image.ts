import { z } from 'zod';
import { CracBuildError } from '../errors.ts';
import type { FoundImage } from '../oci/find-images.ts';
import { readLayoutFolder } from '../oci/read-file.ts';
import type { AnswerProbe } from '../warm-up/probe.ts';
import { CHECKPOINT_FOLDER } from './checkpoint-layer.ts';
import type { ImageSource } from './open-source.ts';

/** Of facts.json, which composeFacts() writes. Where `answer` is missing, an older crac-build has made the image. */
const FACTS = z.looseObject({
  name: z.string(),
  isImageApp: z.boolean().exactOptional(),
  answer: z
    .discriminatedUnion('kind', [
      z.object({
        kind: z.literal('http'),
        port: z.int(),
        path: z.string(),
        status: z.int(),
        contains: z.string().exactOptional(),
        tls: z.object({ serverName: z.string().exactOptional(), insecure: z.boolean() }).exactOptional(),
      }),
      z.object({ kind: z.literal('tcp'), port: z.int() }),
      z.object({ kind: z.literal('command'), argv: z.array(z.string()) }),
    ])
    .nullish(),
});
const CONFIG = z.looseObject({
  User: z.string().optional(),
  ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
});
const MAX_FACTS_BYTES = 16 << 20;

/** What a finished image tells of itself. */
export interface VerifiedImage {
  readonly name: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly ports: readonly number[];
  /** Whether the app was an image itself: then it is tried as its own user. */
  readonly isImageApp: boolean;
  /** What the build asked; absent: an app that nobody asks anything. */
  readonly answer?: AnswerProbe;
}

/** IMAGE_INVALID where it is none of crac-build's. */
export async function readVerifiedImage(source: ImageSource, { config }: FoundImage): Promise<VerifiedImage> {
  const files = await readLayoutFolder(source, CHECKPOINT_FOLDER, 'facts.json', MAX_FACTS_BYTES);
  const facts = parseFacts(files.get('facts.json')?.content);
  if (facts === undefined)
    throw new CracBuildError('IMAGE_INVALID', `the image in ${source.place} holds no checkpoint`, {
      hint: 'Give an image that `crac-build build` has made.',
    });
  const { User = '', ExposedPorts } = CONFIG.parse(config.config ?? {});
  const ports = Object.keys(ExposedPorts ?? {}).map((port) => Number.parseInt(port, 10));
  const [uid = 0, gid = uid] = User.split(':').map((part) => Number.parseInt(part, 10) || 0);
  const answer = facts.answer === undefined && ports[0] !== undefined ? tcp(ports[0]) : facts.answer;
  return {
    name: facts.name,
    user: { uid, gid },
    ports,
    isImageApp: facts.isImageApp ?? false,
    // The authorities that the build knew are not here: that the app answers is what is tried.
    ...(answer == null
      ? {}
      : { answer: 'tls' in answer ? { ...answer, tls: { ...answer.tls, insecure: true } } : answer }),
  };
}

function tcp(port: number): { readonly kind: 'tcp'; readonly port: number } {
  return { kind: 'tcp', port };
}

function parseFacts(content: Buffer | undefined): z.infer<typeof FACTS> | undefined {
  try {
    return FACTS.parse(JSON.parse(content?.toString('utf8') ?? ''));
  } catch {
    return undefined;
  }
}
