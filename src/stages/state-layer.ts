import { createReadStream } from 'node:fs';
import { composeRootFolders } from '../base/root-folders.ts';
import { CracBuildError } from '../errors.ts';
import type { BuildPlan } from '../plan/build-plan.ts';
import type { TarEntry } from '../tar/entry.ts';
import { composeDirectory } from '../tar/entry.ts';
import { type ReadEntry, readTar } from '../tar/read-tar.ts';

/** Not the app's: ours in the build container only, the kernel's, and what every engine puts into every container. */
const NOT_STATE =
  /^(?:opt\/crac-build|opt\/crac|proc|sys|dev)(?:\/|$)|^etc\/(?:hosts|hostname|resolv\.conf|mtab)$|^\.dockerenv$/;

/**
 * The tar of what the app has written, as a layer's entries: sorted, whole seconds, owners and modes as they were. Content
 * stays where it is. Removed files come as empty files `.wh.NAME`, as in any layer
 * (https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts).
 *
 * Folders above what is there are added as the lower layers have them: an unpacker would make them root's and 0755, and
 * with them hide the lower layers' /tmp.
 */
export async function readStateEntries(stateTar: string, { app }: BuildPlan): Promise<readonly TarEntry[]> {
  const entries = new Map<string, TarEntry>();
  for await (const found of readTar(createReadStream(stateTar))) {
    const { path } = found.header;
    if (path !== '' && !NOT_STATE.test(path)) entries.set(path, composeStateEntry(found, stateTar));
  }
  for (const entry of entries.values()) {
    if (entry.type === 'link' && entries.get(entry.target)?.type !== 'file') {
      throw new CracBuildError(
        'STATE_REFUSED',
        `/${entry.path} is a hard link to a file of the image: /${entry.target}`,
        {
          hint: 'Let the app copy the file, or write it where it is not kept (a tmpfs).',
        },
      );
    }
  }
  const appFolder = app.workingDir.replace(/^\/+|\/+$/g, '');
  const known = new Map(composeRootFolders('').map((entry) => [entry.path, entry]));
  known.set(appFolder, composeDirectory(appFolder, 0o755, app.user));
  for (const path of [...entries.keys()]) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const parent = path.slice(0, at);
      if (!entries.has(parent)) entries.set(parent, known.get(parent) ?? composeDirectory(parent));
    }
  }
  return [...entries.values()];
}

function composeStateEntry({ header, offset }: ReadEntry, stateTar: string): TarEntry {
  const { path, mode, uid, gid, mtimeSeconds, sizeBytes } = header;
  const facts = { path, mode, uid, gid, mtimeSeconds };
  switch (header.type) {
    case 'file':
      return { ...facts, type: 'file', content: { localPath: stateTar, sizeBytes, offset } };
    case 'directory':
      return { ...facts, type: 'directory' };
    case 'symlink':
      return { ...facts, type: 'symlink', target: header.target ?? '' };
    case 'link':
      return { ...facts, type: 'link', target: (header.target ?? '').replace(/^(?:\.?\/)+/, '') };
    default:
      throw new CracBuildError('STATE_REFUSED', `/${path} is a ${header.type}, which cannot be part of an image`, {
        hint: 'Let the app make it where it is not kept (a tmpfs), or remove it before the checkpoint.',
      });
  }
}
