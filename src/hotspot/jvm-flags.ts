import { readFlag, readText, readWord, UnknownJvm } from './address-space.ts';
import type { VmStructs } from './vm-structs.ts';

const FLAG = ['JVMFlag'];
const MOST_FLAGS = 10_000;

/** The values of those -XX flags, all of them on or off; one that this JVM does not have is off. */
export function readJvmFlags<Name extends string>(structs: VmStructs, names: readonly Name[]): Record<Name, boolean> {
  const { memory } = structs;
  const size = structs.sizeOf('JVMFlag');
  const nameAt = structs.offsetOf(FLAG, '_name');
  const addressAt = structs.offsetOf(FLAG, '_addr');
  const first = readWord(memory, structs.addressOf(FLAG, 'flags'));
  const count = readWord(memory, structs.addressOf(FLAG, 'numFlags'));
  if (count > MOST_FLAGS) throw new UnknownJvm(`${count} flags are too many`);
  const addresses = new Map<string, number>();
  for (let flag = first; flag < first + count * size; flag += size) {
    const name = readWord(memory, flag + nameAt);
    if (name !== 0) addresses.set(readText(memory, name), readWord(memory, flag + addressAt));
  }
  const isOn = (name: string): boolean => {
    const address = addresses.get(name);
    return address !== undefined && readFlag(memory, address);
  };
  return Object.fromEntries(names.map((name) => [name, isOn(name)])) as Record<Name, boolean>;
}
