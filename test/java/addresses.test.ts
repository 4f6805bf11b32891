/** Host names in a restored JVM: what they stood for in the build is forgotten. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agent, buildRuntime, JDKS, launchJvm, prepare, simulateRestore, status, waitFor } from './jvm.ts';

const work = mkdtempSync(join(tmpdir(), 'addresses-test-'));
const hosts = join(work, 'hosts');

beforeAll(buildRuntime, 60_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

test.each(JDKS)(
  'JDK %d: names are looked up again after the restore, those that were unknown, too',
  async (_, home) => {
    writeFileSync(hosts, '127.0.0.2 db\n');
    const options = [agent, '-Xcheck:jni', `-Djdk.net.hosts.file=${hosts}`];
    await using jvm = launchJvm(home, 'Names', { options });
    const look = async (name: string) => {
      jvm.send(name);
      return await jvm.line(new RegExp(`^${name} is `));
    };
    await jvm.line(/^ready$/);
    expect(await look('db')).toBe('db is 127.0.0.2');
    expect(await look('cache')).toBe('cache is unknown');
    writeFileSync(hosts, '127.0.0.3 db\n127.0.0.4 cache\n');
    expect(await look('db')).toBe('db is 127.0.0.2'); // remembered
    simulateRestore(await prepare(jvm.pid));
    await waitFor(() => status(jvm.pid), 'restored');
    expect(await look('db')).toBe('db is 127.0.0.3');
    expect(await look('cache')).toBe('cache is 127.0.0.4');
    expect(jvm.lines.filter((line) => /WARNING|FATAL/.test(line))).toEqual([]);
  },
  60_000,
);

test('a JVM that has looked up nothing is prepared as well', async () => {
  const [, home = ''] = JDKS[0] ?? [];
  await using jvm = launchJvm(home, 'Names', { options: [agent, '-Xcheck:jni'] });
  await jvm.line(/^ready$/);
  simulateRestore(await prepare(jvm.pid));
  await waitFor(() => status(jvm.pid), 'restored');
  jvm.send('127.0.0.1');
  expect(await jvm.line(/ is /)).toBe('127.0.0.1 is 127.0.0.1');
}, 60_000);
