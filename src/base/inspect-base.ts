import { arch } from 'node:os';
import { CracBuildError } from '../errors.ts';
import type { InheritedConfig, Layer } from '../oci/image.ts';
import type { ReadConfig } from '../oci/read-layout.ts';
import type { SourceImage } from '../oci/source-image.ts';
import { findJvm, type ImageJvm } from './find-jvm.ts';
import { type ImageStart, inspectStart } from './image-start.ts';
import { findImageUser, type ImageUser, readAccounts, refuseUser } from './image-user.ts';
import { parseRelease } from './inspect-jdk.ts';
import { ARCHITECTURES, type ImageAccess, type ImageAddress, obtainImage } from './obtain-image.ts';
import { readRootIndex } from './read-root-index.ts';
import { type RootIndex, resolveIn } from './root-index.ts';

/** What is known of an image before anything is built on it. Plain data. */
export interface ImageFacts {
  /** As it was named: "oci:/images/jre:17". */
  readonly source: string;
  /** Of its manifest; of its config where it came as a Docker archive. */
  readonly digest: string;
  /** Where it was pulled from, and its layers need not be sent to. */
  readonly registry?: { readonly host: string; readonly repository: string };
  /** "Debian GNU/Linux 12 (bookworm)", as /etc/os-release has it. */
  readonly system: string;
  readonly jvm: ImageJvm;
  readonly layers: readonly Layer[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly ports: readonly number[];
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  /** Absent: its config says nothing, which means root. */
  readonly user?: ImageUser;
  readonly inherited: InheritedConfig;
  /** The folders at the root that layers on top may name, as they are. */
  readonly folders: readonly BaseFolder[];
  readonly passwd: string;
  readonly group: string;
  /** What it runs, and how a JVM comes of it. Absent where that is not wanted. */
  readonly start?: ImageStart;
}

export interface BaseFolder {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What our layers have entries for besides their own. */
const SHARED_FOLDERS = ['opt', 'etc', 'app'];

/** How an image is to be used. */
export interface ImageUse {
  /** An `app` must have an entrypoint that starts a JVM. */
  readonly as: 'base' | 'app';
  /** Somebody else than its own user is to run: nobody needs to know that one. */
  readonly hasOtherUser?: boolean;
}

export async function inspectImage(
  address: ImageAddress,
  source: string,
  use: ImageUse,
  access: ImageAccess,
): Promise<ImageFacts> {
  const image = await obtainImage(address, access);
  const { config } = image;
  requireOurs(config, source);
  access.report({ type: 'stage-progress', stage: 'plan', text: `looking at ${source}` });
  const { root, layers } = await readRootIndex(access.blobDir, image.layers, source, access.signal);
  return composeFacts(image, root, layers, source, use);
}

export function composeFacts(
  image: Pick<SourceImage, 'digest' | 'config' | 'registry'>,
  root: RootIndex,
  layers: readonly Layer[],
  source: string,
  { as, hasOtherUser = false }: ImageUse,
): ImageFacts {
  const settings = image.config.config ?? {};
  const environment = readEnvironment(settings.Env ?? []);
  requireRoom(root, source);
  const start =
    as === 'base'
      ? undefined
      : inspectStart(root, {
          ...{ source, environment, workingDir: settings.WorkingDir || '/' },
          entrypoint: settings.Entrypoint ?? [],
          command: settings.Cmd ?? [],
        });
  const jvm = findJvm(root, { source, environment, ...(start?.kind === 'java' && { java: start.argv[0] }) });
  const user = settings.User ? findImageUser(root, settings.User) : undefined;
  if (settings.User && user === undefined && !hasOtherUser) throw refuseUser(source, settings.User);
  const ports = Object.keys(settings.ExposedPorts ?? {});
  const tcp = ports.flatMap((port) => /^(\d+)(?:\/tcp)?$/.exec(port)?.[1] ?? []).map(Number);
  return {
    source,
    digest: image.digest,
    ...(image.registry === undefined ? {} : { registry: image.registry }),
    system: nameSystem(root),
    jvm,
    layers,
    environment,
    workingDir: settings.WorkingDir || '/',
    ports: tcp.sort((a, b) => a - b),
    labels: settings.Labels ?? {},
    ...(settings.StopSignal ? { stopSignal: settings.StopSignal } : {}),
    ...(user === undefined ? {} : { user }),
    inherited: {
      otherPorts: ports.filter((port) => !/^\d+(?:\/tcp)?$/.test(port)).sort(),
      volumes: Object.keys(settings.Volumes ?? {}).sort(),
      ...(settings.Healthcheck ? { healthcheck: settings.Healthcheck } : {}),
      history: composeHistory(image.config, layers.length),
    },
    folders: SHARED_FOLDERS.flatMap((path) => {
      const found = root.get(path);
      return found?.type === 'directory' ? [{ path, mode: found.mode, uid: found.uid, gid: found.gid }] : [];
    }),
    passwd: readAccounts(root, '/etc/passwd'),
    group: readAccounts(root, '/etc/group'),
    ...(start === undefined ? {} : { start }),
  };
}

function requireOurs({ architecture, os }: ReadConfig, source: string): void {
  const ours = ARCHITECTURES[arch()] ?? arch();
  if (os === 'linux' && architecture === ours) return;
  throw new CracBuildError('INPUT_INVALID', `${source} is for ${os}/${architecture}, and not for linux/${ours}`, {
    hint: 'Take the image for this platform: a checkpoint is of one kind of CPU.',
  });
}

/** Our layers write below /opt/crac. */
function requireRoom(root: RootIndex, source: string): void {
  if (root.has('opt/crac/restore')) {
    throw new CracBuildError('INPUT_INVALID', `${source} was made by crac-build, and holds a checkpoint`, {
      hint: 'Give the image that it was made from.',
    });
  }
  const link = SHARED_FOLDERS.find((path) => root.has(path) && root.get(path)?.type !== 'directory');
  if (link === undefined) return;
  throw new CracBuildError('INPUT_INVALID', `/${link} of ${source} is no folder, but a ${root.get(link)?.type}`, {
    hint: 'Take a base in which /opt, /etc and /app are folders, or are not there.',
  });
}

function readEnvironment(variables: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    variables.map((text) => {
      const end = text.indexOf('=');
      return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
    }),
  );
}

function nameSystem(root: RootIndex): string {
  const text = resolveIn(root, '/etc/os-release')?.entry.content?.toString() ?? '';
  return parseRelease(text).get('PRETTY_NAME') ?? /^PRETTY_NAME='?([^'\n]*)/m.exec(text)?.[1] ?? 'an unknown system';
}

/** Entries without a layer are kept where all others fit to the layers; else each layer gets one. */
function composeHistory({ history }: ReadConfig, layerCount: number): InheritedConfig['history'] {
  const known = history ?? [];
  const fits = known.filter(({ empty_layer }) => empty_layer !== true).length === layerCount;
  return fits ? known : Array.from({ length: layerCount }, () => ({ created_by: 'a layer of the base' }));
}
