import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const SAMPLE_INTERVAL_MS = 50;

/** The most memory that a program and what it has started have had at once, but for what runs in containers. */
export function watchMemory(pid: number): Disposable & { readonly peakBytes: () => number } {
  let peak = 0;
  const sample = () => {
    peak = Math.max(peak, measureTree(pid));
  };
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  return { peakBytes: () => peak, [Symbol.dispose]: () => clearInterval(timer) };
}

/** What is in a process namespace of its own is a container, whose memory is the app's. */
function measureTree(root: number): number {
  const own = readNamespace(root);
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = /^PPid:\s*(\d+)/m.exec(readStatus(pid))?.[1];
    if (parent !== undefined) children.set(Number(parent), [...(children.get(Number(parent)) ?? []), pid]);
  }
  const measure = (pid: number): number => {
    if (readNamespace(pid) !== own) return 0;
    const status = readStatus(pid);
    /** Of the program itself the most there ever was, as the kernel counts it: samples may miss it. */
    const field = pid === root ? /^VmHWM:\s*(\d+) kB/m : /^VmRSS:\s*(\d+) kB/m;
    const bytes = Number(field.exec(status)?.[1] ?? 0) * 1024;
    return (children.get(pid) ?? []).reduce((sum, child) => sum + measure(child), bytes);
  };
  return measure(root);
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}

function readNamespace(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}
