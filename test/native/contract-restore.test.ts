/** What matters most of jdk.crac's contract, with a real dump and a real restore. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planAddedJavaOptions } from '../../src/plan/added-java-options.ts';
import { JDKS, status as stateOf, waitFor } from '../java/jvm.ts';
import {
  askToPrepare,
  compileJava,
  dumpAndCompile,
  ended,
  type HostJvm,
  openWork,
  startJvm,
  startRestored,
} from './host-jvm.ts';

const { work, native } = openWork('contract-restore-test');
const classes = join(work, 'classes');
beforeAll(() => compileJava('Survivor', classes, [join(native, 'crac.jar')]), 60_000);

test.each(JDKS)(
  'JDK %d: the caller comes back, notified in order, with what is new, and goes on',
  async (version, home) => {
    const host: HostJvm = { home, native, dir: join(work, String(version)) };
    const added = planAddedJavaOptions([], { javaVersion: version, hotSpot: true }).map(({ option }) => option);
    const options = added.filter((option) => !option.startsWith('-agentpath:'));
    const jvm = startJvm(host, [...options, '-Xbatch', '-cp', classes, 'Survivor']);
    await waitFor(() => stateOf(jvm.pid ?? 0, join(native, 'ctl')), 'waiting');
    const { answer, status } = askToPrepare(host, jvm.pid ?? 0);
    expect([status, answer.error]).toEqual([0, undefined]);
    await dumpAndCompile(host, jvm, answer);
    const lines = (log: string) => readFileSync(join(host.dir, log), 'utf8').trimEnd().split('\n');
    expect(lines('app.log')).toEqual(['restored at -1', 'before second', 'before first']);

    const env = { GREETING: 'good evening', CRAC_CHECKPOINT_TIMEOUT: '0' };
    const restored = startRestored(host, ['-Dcolor=blue', 'serve'], env);
    expect(await ended(restored)).toBe(0);
    expect(lines('restored.log')).toEqual([
      ...['after first good evening blue', 'after second good evening blue'],
      'RestoreException 1 java.io.IOException: no database',
      'main kept true',
      'age true true',
      'pid true',
      'ticks true',
      ...['before second', 'before first', 'after first good evening blue', 'after second good evening blue'],
      'nobody came to take the checkpoint within 0 s (CRAC_CHECKPOINT_TIMEOUT); `ctl checkpoint` takes it',
      'end',
    ]);
  },
  60_000,
);
