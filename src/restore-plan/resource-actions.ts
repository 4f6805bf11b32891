import type { ReadyFacts, ResourceAction } from '../criu/checkpoint.ts';
import type { Dump } from '../criu/read-dump.ts';

/**
 * What the agent decided, by open file: descriptors that share one, and the two ends of a pair, share its fate when one of
 * them is closed.
 */
export function groupActions(dump: Dump, resources: ReadyFacts['resources'] = []): ReadonlyMap<number, ResourceAction> {
  const byDescriptor = new Map(resources.map(({ fd, action }) => [fd, action]));
  const byFile = new Map<number, ResourceAction>();
  for (const { fd, id } of dump.descriptors) {
    const action = byDescriptor.get(fd);
    if (action !== undefined && byFile.get(id) !== 'close') byFile.set(id, action);
  }
  for (const [id, action] of [...byFile]) {
    const { pipe, unix } = dump.files.get(id) ?? {};
    if (action !== 'close' || (pipe === undefined && unix === undefined)) continue;
    for (const other of dump.files.values()) {
      const isOtherEnd =
        (pipe !== undefined && other.pipe?.pipeId === pipe.pipeId) ||
        (unix !== undefined && unix.peer !== 0 && other.unix?.ino === unix.peer);
      if (isOtherEnd) byFile.set(other.id, 'close');
    }
  }
  return byFile;
}
