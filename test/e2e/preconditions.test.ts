import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { stringify } from 'yaml';
import { unpackImage } from '../../bench/unpack-image.ts';
import { composeFile, type TarEntry } from '../../src/tar/entry.ts';
import { JDKS, PLAIN_HTTP, runCli } from './support/build-example.ts';
import { patchImage } from './support/patch-image.ts';
import { waitUntilAnswered } from './support/start-image.ts';
import { startInCrun } from './support/start-in-crun.ts';

const PLAN = 'opt/crac/checkpoint/plan.bin';
const JAR = 'app/plain-http.jar';
/** Offsets in struct crac_header, native/restore/plan.h; test/golden/plan-format.json holds them. */
const VERSION_AT = 8;
const CRC_AT = 32;
const SECTIONS_AT = 72;
const CPU_SECTION = 9;

let dir: string;
let layout: string;
let root: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crac-preconditions-'));
  layout = join(dir, 'image');
  const config = join(dir, 'crac-build.yaml');
  await writeFile(
    config,
    stringify({
      app: { jar: join(PLAIN_HTTP, 'target/plain-http.jar'), ports: [8080] },
      warmUp: { requests: [{ method: 'POST', path: '/state?name=warm', body: 'warm' }] },
      checkpoint: { settle: '0s' },
      verify: { enabled: false },
    }),
  );
  const flags = ['--engine', 'oci', '--base', `jdk:${JDKS[17]}`, '--output', `oci:${layout}`];
  const { exitCode, stderr } = await runCli(['build', '--config', config, ...flags]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  ({ root } = await unpackImage(layout, join(dir, 'root')));
}, 90_000);

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

type Change = (read: (path: string) => Promise<Buffer>) => Promise<TarEntry>;

const CHANGES: readonly { readonly what: string; readonly change: Change; readonly reason: RegExp }[] = [
  {
    what: 'plan.bin is truncated',
    change: async (read) => composeFile(PLAN, (await read(PLAN)).subarray(0, 20_000)),
    reason: /plan\.bin.*(truncated|bytes|size)/,
  },
  {
    what: 'plan.bin has another version',
    change: async (read) => {
      const plan = await read(PLAN);
      plan.writeUInt32LE(99, VERSION_AT);
      return composeFile(PLAN, seal(plan));
    },
    reason: /plan\.bin.*version 99/,
  },
  {
    what: 'plan.bin is damaged',
    change: async (read) => {
      const plan = await read(PLAN);
      plan.writeUInt8(plan.readUInt8(plan.length - 100) ^ 1, plan.length - 100);
      return composeFile(PLAN, plan);
    },
    reason: /plan\.bin.*(damaged|checksum|CRC)/i,
  },
  {
    what: 'mem.bin is missing',
    change: async () => composeFile('opt/crac/checkpoint/.wh.mem.bin', Buffer.alloc(0)),
    reason: /mem\.bin/,
  },
  {
    what: 'the app’s jar was changed',
    change: async (read) => composeFile(JAR, await read(JAR), 0o644, { mtimeSeconds: 1_700_000_000 }),
    reason: /\/app\/plain-http\.jar has changed/,
  },
  {
    what: 'a library was changed',
    change: async (read) => {
      const path = 'opt/java/lib/server/libjvm.so';
      return composeFile(path, Buffer.concat([await read(path), Buffer.from('x')]), 0o755);
    },
    reason: /libjvm\.so has changed/,
  },
  {
    what: 'the CPU lacks a feature',
    change: async (read) => {
      const plan = await read(PLAN);
      const section = SECTIONS_AT + CPU_SECTION * 16;
      const first = plan.readUInt32LE(section);
      expect(plan.readUInt32LE(section + 4)).toBeGreaterThan(3);
      // cpuid(7, 0).edx bit 3, AVX512_4FMAPS: only Knights Mill had it.
      [7, 0, 3, 1 << 3, 1 << 3].forEach((word, index) => {
        plan.writeUInt32LE(word, first + index * 4);
      });
      return composeFile(PLAN, seal(plan));
    },
    reason: /CPU/,
  },
];

describe.each(CHANGES)('when $what', ({ change, reason }) => {
  let number = 0;
  const startChanged = async (mode: 'auto' | 'require') => {
    const read = (path: string) => readFile(join(root, path));
    const image = await patchImage(layout, join(dir, `changed-${number++}`), [await change(read)]);
    return await startInCrun(image, { environment: { CRAC_RESTORE: mode } });
  };

  test('the app starts cold, with one line that says why', async () => {
    await using started = await startChanged('auto');
    await waitUntilAnswered(() => started.get('/'));
    expect(await started.getJson('/state?name=warm')).toMatchObject({ value: null });
    const { output } = await started.stop();
    const lines = output.split('\n').filter((line) => line.startsWith('crac: '));
    expect(lines).toEqual([expect.stringMatching(/^crac: starting cold: /)]);
    expect(lines[0]).toMatch(reason);
  }, 60_000);

  test('with CRAC_RESTORE=require it ends with 125', async () => {
    await using started = await startChanged('require');
    const { exitCode, output } = await started.ended();
    expect(exitCode).toBe(125);
    expect(output).toMatch(/^crac: cannot restore: /m);
    expect(output).toMatch(reason);
  }, 60_000);
});

test('a checkpoint that is not where it is said to be is no obstacle to a cold start', async () => {
  const environment = { CRAC_CHECKPOINT: '/nowhere/checkpoint' };
  await using started = await startInCrun(layout, { environment });
  await waitUntilAnswered(() => started.get('/'));
  const { output } = await started.stop();
  expect(output).toMatch(/^crac: starting cold: \/nowhere\/checkpoint\/plan\.bin: no such file/m);
}, 60_000);

function seal(plan: Buffer): Buffer {
  plan.writeUInt32LE(0, CRC_AT);
  plan.writeUInt32LE(crc32(plan), CRC_AT);
  return plan;
}
