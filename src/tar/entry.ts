/** 1980-01-01T00:00:00Z, the oldest time a zip can hold: every file that is not the app's own state carries it. */
export const FIXED_MTIME_SECONDS = 315532800;

interface EntryFacts {
  /** Relative to the root, without a leading or trailing slash: "opt/java/bin/java". */
  readonly path: string;
  /** Permission bits with setuid, setgid and sticky: 0o755, 0o1777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
}

export interface FileContent {
  readonly localPath: string;
  readonly sizeBytes: number;
  /** Where the content begins in the file: it may lie inside another tar. */
  readonly offset?: number;
}

export type TarEntry =
  | (EntryFacts & { readonly type: 'file'; readonly content: Buffer | FileContent })
  | (EntryFacts & { readonly type: 'directory' })
  | (EntryFacts & { readonly type: 'symlink'; readonly target: string })
  /** `target` is the path of an earlier file of the same tar. */
  | (EntryFacts & { readonly type: 'link'; readonly target: string });

type OwnedBy = Partial<Pick<EntryFacts, 'uid' | 'gid' | 'mtimeSeconds'>>;

/** Entries with the defaults of our own layers: root's, fixed time. */
export function composeDirectory(path: string, mode = 0o755, owner: OwnedBy = {}): TarEntry {
  return { type: 'directory', path, mode, ...composeOwner(owner) };
}

export function composeFile(path: string, content: Buffer | FileContent, mode = 0o644, owner: OwnedBy = {}): TarEntry {
  return { type: 'file', path, mode, content, ...composeOwner(owner) };
}

export function composeSymlink(path: string, target: string, owner: OwnedBy = {}): TarEntry {
  return { type: 'symlink', path, mode: 0o777, target, ...composeOwner(owner) };
}

function composeOwner(owner: OwnedBy): Required<OwnedBy> {
  return { uid: owner.uid ?? 0, gid: owner.gid ?? 0, mtimeSeconds: owner.mtimeSeconds ?? FIXED_MTIME_SECONDS };
}
