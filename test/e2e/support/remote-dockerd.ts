import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type OwnDockerd, startDockerd } from '../../engine/own-dockerd.ts';
import { waitUntilAnswered } from './start-image.ts';

const run = promisify(execFile);

/**
 * A daemon as on another machine: in a network of its own, at the other end of a cable, and without the files of `hidden`,
 * folders of this machine that are empty where it runs.
 */
export async function startRemoteDockerd(hidden: readonly string[]): Promise<OwnDockerd> {
  const name = `crac-${process.pid}`;
  // Of the range for tests between networks, https://www.rfc-editor.org/rfc/rfc2544; a link for each process.
  const subnet = `198.18.${process.pid % 256}`;
  const undo = async () => {
    await run('ip', ['netns', 'delete', name]); // and the cable with it
  };
  await run('ip', ['netns', 'add', name]);
  try {
    for (const words of [
      `link add ${name} type veth peer name far netns ${name}`,
      `addr add ${subnet}.1/30 dev ${name}`,
      `link set ${name} up`,
      `-n ${name} addr add ${subnet}.2/30 dev far`,
      `-n ${name} link set far up`,
      `-n ${name} link set lo up`,
    ]) {
      await run('ip', words.split(' '));
    }
    const hide = 'for folder; do [ "$folder" = -- ] && break; mount -t tmpfs none "$folder"; done';
    const skip = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"';
    const inside = ['unshare', '--mount', 'sh', '-ec', `${hide}; ${skip}`, 'sh', ...hidden, '--'];
    const daemon = await startDockerd({
      wrapper: ['nsenter', `--net=/var/run/netns/${name}`, ...inside],
      address: `tcp://${subnet}.2:2375`,
    });
    await waitUntilAnswered(async () => (await run('docker', ['-H', daemon.host, 'version'])).stdout, 60_000);
    return {
      host: daemon.host,
      [Symbol.asyncDispose]: async () => {
        await daemon[Symbol.asyncDispose]();
        await undo();
      },
    };
  } catch (error) {
    await undo();
    throw error;
  }
}
