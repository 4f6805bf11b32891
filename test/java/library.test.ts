import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agent, buildRuntime, ctlPath, JDKS, launchJvm, native } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

test('libcrac.so needs no symbol newer than glibc 2.17', () => {
  const symbols = execFileSync('objdump', ['-T', join(native, 'libcrac.so')], { encoding: 'utf8' });
  const versions = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(
    ([, major, minor]) => Number(major) * 100 + Number(minor),
  );
  expect(versions.length).toBeGreaterThan(10);
  expect(Math.max(...versions)).toBeLessThanOrEqual(217);
});

test('ctl is static', () => {
  expect(execFileSync('readelf', ['-lW', ctlPath], { encoding: 'utf8' })).not.toMatch(/INTERP|DYNAMIC/);
});

test('another build gives the same bytes', () => {
  const dir = mkdtempSync(join(tmpdir(), 'libcrac-'));
  try {
    const repo = new URL('../..', import.meta.url).pathname;
    const parts = ['crac.jar', 'libcrac.so', 'ctl'];
    execFileSync('make', ['-s', '-C', join(repo, 'native'), `OUT=${dir}`, ...parts.map((part) => join(dir, part))]);
    const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
    for (const part of parts) expect([part, hash(join(dir, part))]).toEqual([part, hash(join(native, part))]);
  } finally {
    rmSync(dir, { recursive: true });
  }
}, 60_000);

describe.each(JDKS)('start on JDK %d', (_, home) => {
  async function linesOf(...options: string[]): Promise<readonly string[]> {
    await using jvm = launchJvm(home, 'Exit', { options });
    expect(await jvm.exited).toBe(0);
    return jvm.lines;
  }

  test('CDS with the full module graph stays in use, and nothing is printed', async () => {
    const log = ['-Xshare:on', '-Xlog:cds=info,module=info,class+load=info'];
    const [plain, withAgent] = [await linesOf(...log), await linesOf(agent, ...log)];
    const shared = (lines: readonly string[]) => lines.filter((line) => line.includes('shared objects file')).length;
    expect(shared(plain)).toBeGreaterThan(400);
    expect(shared(withAgent)).toBeGreaterThanOrEqual(shared(plain));
    const text = withAgent.join('\n');
    expect(text).toContain('full module graph: enabled');
    expect(text).toContain('optimized module handling: enabled');
    expect(text).not.toMatch(/full module graph: disabled|optimized module handling: disabled|warning/i);
    expect(text).toContain('jdk.crac.Core');
    expect(await linesOf(agent)).toEqual([expect.stringMatching(/^\d+$/)]);
  });

  test('the exit does not wait for the control thread', async () => {
    const exitMs: number[] = [];
    for (let run = 0; run < 3; run++) {
      const [beganMs] = await linesOf(agent);
      exitMs.push(Date.now() - Number(beganMs));
    }
    expect(Math.min(...exitMs)).toBeLessThan(250);
  });
});
