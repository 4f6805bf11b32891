/**
 * What the CPU of the restore must have: what the code in memory was chosen by. HotSpot tells its features, glibc its view
 * of cpuid. Other native libraries look at the CPU themselves and tell nobody: with one of them, whatever the build CPU had.
 */
import type { ChosenCpu, CpuidLeaf } from '../criu/checkpoint.ts';
import type { Blob } from './blob.ts';
import { AVX_STATE, AVX512_STATE, CPU_FEATURES, GLIBC_FEATURES, parseHotspotName, XCR0_LEAF } from './cpu-table.ts';
import type { PlanRecord } from './format.ts';
import { readXsaveLayout } from './xsave.ts';

export interface RequiredCpu {
  /** Names of the table in cpu-table.ts. */
  readonly features: readonly string[];
  /** Why it is these. */
  readonly because: string;
}

const CHOSEN = 'the JVM and the C library chose by them';

/** `libraries`: paths of the mapped files that hold code. */
export function decideRequiredCpu(
  cpu: readonly CpuidLeaf[],
  chosen: ChosenCpu | undefined,
  libraries: readonly string[],
): RequiredCpu {
  const all = (reason: string): RequiredCpu => ({
    features: listCpuFeatures(cpu),
    because: `${reason}: all that the build CPU had`,
  });
  if (chosen?.jvm == null) return all('the JVM does not tell by what it chose');
  const names = chosen.jvm.map((name) => [name, parseHotspotName(name)] as const);
  const unknown = names.find(([, feature]) => feature === undefined);
  if (unknown !== undefined) return all(`the JVM uses ${unknown[0]}, which is not known here`);
  const stranger = findStranger(libraries);
  if (stranger !== undefined) return all(`${stranger} may choose by anything`);
  const jvm = new Set(names.map(([, feature]) => feature));
  const libc = new Set(featuresOf(chosen.libc ?? cpu, cpu).filter((name) => GLIBC_FEATURES.has(name)));
  return {
    features: CPU_FEATURES.map(([name]) => name).filter((name) => jvm.has(name) || libc.has(name)),
    because: CHOSEN,
  };
}

/** `components`: XSAVE components in the frames of threads, which lie where the build CPU has them. */
export function planCpu(
  { features }: RequiredCpu,
  cpu: readonly CpuidLeaf[],
  components: ReadonlySet<number>,
  blob: Blob,
): PlanRecord<'cpu'>[] {
  const required = CPU_FEATURES.filter(([name]) => features.includes(name));
  const records = required.map(([name, leaf, subleaf, reg, bit]) =>
    oneBit({ leaf, subleaf, reg }, 1 << bit, blob.text(name)),
  );
  const state = required.reduce((bits, feature) => bits | feature[5], 0);
  for (const [mask, name] of STATES)
    if ((state & mask) === mask) records.push(oneBit({ leaf: XCR0_LEAF, subleaf: 0, reg: 0 }, mask, blob.text(name)));
  const { offsets } = readXsaveLayout(cpu);
  for (const component of components) {
    const place = offsets.get(component) ?? 0;
    const name = blob.text(`XSAVE component ${component} at byte ${place}`);
    records.push(oneBit({ leaf: XCR0_LEAF, subleaf: 0, reg: 0 }, 1 << component, name));
    records.push({ leaf: 0xd, subleaf: component, reg: 1, mask: 0xffffffff, value: place, name_blob: name });
  }
  return records;
}

const STATES = [
  [AVX_STATE, 'AVX state saved by the system'],
  [AVX512_STATE, 'AVX-512 state saved by the system'],
] as const;

function oneBit(
  at: Pick<PlanRecord<'cpu'>, 'leaf' | 'subleaf' | 'reg'>,
  mask: number,
  name: number,
): PlanRecord<'cpu'> {
  return { ...at, mask: mask >>> 0, value: mask >>> 0, name_blob: name };
}

/** Names of the table in cpu-table.ts: what this CPU has and its system lets programs use. */
export function listCpuFeatures(cpu: readonly CpuidLeaf[]): readonly string[] {
  return featuresOf(cpu, cpu);
}

/** Of those whose bits are set in `leaves`, and whose state the system of `cpu` saves. */
function featuresOf(leaves: readonly CpuidLeaf[], cpu: readonly CpuidLeaf[]): readonly string[] {
  const registersOf = (from: readonly CpuidLeaf[], leaf: number, subleaf: number) =>
    from.find((line) => line.leaf === leaf && line.subleaf === subleaf)?.registers ?? [0, 0, 0, 0];
  const enabledState = registersOf(cpu, XCR0_LEAF, 0)[0];
  return CPU_FEATURES.filter(
    ([, leaf, subleaf, register, bit, state]) =>
      ((registersOf(leaves, leaf, subleaf)[register] >>> bit) & 1) === 1 && (enabledState & state) === state,
  ).map(([name]) => name);
}

/** Whose code is chosen by what HotSpot and glibc tell, or not by the CPU at all. zlib-ng, which does, ends in "zlib-ng". */
const KNOWN =
  /^(?:ld-linux-x86-64\.so\.2|ld-[\d.]+\.so|lib(?:c|m|mvec|dl|rt|util|anl|pthread|resolv|nss_\w+)(?:-[\d.]+)?\.so[\d.]*|lib(?:gcc_s|stdc\+\+|z)\.so[\d.]*|libcrac\.so)$/;
const JVM = '/lib/server/libjvm.so';

function findStranger(libraries: readonly string[]): string | undefined {
  const home = libraries.find((path) => path.endsWith(JVM))?.slice(0, -JVM.length);
  return libraries.find(
    (path) =>
      !(home !== undefined && path.startsWith(`${home}/`)) && !KNOWN.test(path.slice(path.lastIndexOf('/') + 1)),
  );
}
