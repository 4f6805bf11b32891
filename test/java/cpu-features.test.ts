import { execFileSync } from 'node:child_process';
import { parseCpu } from '../../src/criu/control.ts';
import { decideRequiredCpu } from '../../src/restore-plan/cpu-features.ts';
import { agent, buildRuntime, ctlPath, JDKS, launchJvm, prepare } from './jvm.ts';

beforeAll(buildRuntime, 60_000);

const LIBRARIES = ['/jdk/lib/server/libjvm.so', '/lib/x86_64-linux-gnu/libc.so.6'];

describe.each(JDKS)('JDK %d tells by which features of the CPU it chose its code', (_, home) => {
  const featuresOf = async (option: string, tunables = '') => {
    const env = tunables === '' ? {} : { GLIBC_TUNABLES: tunables };
    await using jvm = launchJvm(home, 'Churn', { options: [agent, option], env });
    await jvm.line(/^ready$/);
    const { cpu: chosen } = await prepare(jvm.pid);
    const cpu = parseCpu(execFileSync(ctlPath, ['cpu'], { encoding: 'utf8' }));
    return { chosen, cpu, ...decideRequiredCpu(cpu, chosen, LIBRARIES) };
  };

  test('as this CPU has them', async () => {
    const { features, because, cpu, chosen } = await featuresOf('-XX:+UseSerialGC');
    expect(because).toBe('the JVM and the C library chose by them');
    expect(chosen?.jvm).toEqual(expect.arrayContaining(['CX8', 'CMOV', 'SSE2']));
    expect(chosen?.libc?.map(({ leaf, subleaf }) => [leaf, subleaf])).toEqual([
      ...[
        [1, 0],
        [7, 0],
        [0x80000001, 0],
        [0xd, 1],
      ],
    ]);
    expect(features).toEqual(expect.arrayContaining(['sse2', 'popcnt', 'avx2', 'bmi2']));
    // What it names is there, by this side's table of bits.
    const all = decideRequiredCpu(cpu, undefined, []).features;
    expect(features.filter((name) => !all.includes(name))).toEqual([]);
    expect(features.length).toBeLessThan(all.length);
  });

  test('and not what options keep it from using', async () => {
    const noAvx512 = 'glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD';
    const avx2 = await featuresOf('-XX:UseAVX=2', noAvx512);
    expect(avx2.chosen?.jvm).toEqual(expect.arrayContaining(['AVX', 'AVX2']));
    expect(avx2.features).toEqual(expect.arrayContaining(['avx', 'avx2']));
    expect(avx2.features.filter((name) => name.startsWith('avx512'))).toEqual([]);

    const noAvx = await featuresOf('-XX:UseAVX=0', `${noAvx512},-AVX,-AVX2`);
    expect(noAvx.chosen?.jvm?.filter((name) => name.startsWith('AVX'))).toEqual([]);
    expect(noAvx.features.filter((name) => name.startsWith('avx'))).toEqual([]);
    expect(noAvx.features).toContain('sse4.2');
  });
});
