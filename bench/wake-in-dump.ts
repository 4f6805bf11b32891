import { closeSync, openSync, writeSync } from 'node:fs';
import { PAGE_BYTES, readDump } from '../src/criu/read-dump.ts';

/** `state` in native/mailbox.h, and the value that the restorer writes. */
const STATE_OFFSET = 24;
const RESTORED = 2;

/**
 * Writes into a dump what our restorer writes into a restored process: that it has been restored. Nobody else tells a
 * process that `criu restore` brings back, and its runtime would wait for ever.
 */
export function wakeInDump(dumpDir: string, mailboxAddress: string): void {
  const address = Number(mailboxAddress) + STATE_OFFSET;
  const { pageRuns, pagesFile } = readDump(dumpDir);
  const run = pageRuns.find((each) => each.address <= address && address < each.address + each.pageCount * PAGE_BYTES);
  if (run === undefined) throw new Error(`the dump holds no page for the mailbox at ${mailboxAddress}`);
  const state = Buffer.alloc(4);
  state.writeUInt32LE(RESTORED);
  const file = openSync(pagesFile, 'r+');
  writeSync(file, state, 0, state.length, run.offset + address - run.address);
  closeSync(file);
}
