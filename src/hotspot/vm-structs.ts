/**
 * HotSpot's description of itself for debuggers (src/hotspot/share/runtime/vmStructs.hpp): exported tables, whose last entry
 * has no name. Where in an entry something stands, and how long an entry is, is exported, too.
 *
 *   gHotSpotVMStructs: type name | field name | type | is static | offset | address, of static fields
 *   gHotSpotVMTypes:   type name | superclass name | … | size
 */
import { type AddressSpace, readText, readWord, UnknownJvm } from './address-space.ts';

export interface VmStructs {
  readonly memory: AddressSpace;
  readonly hasField: (types: readonly string[], field: string) => boolean;
  /** Of a field in an object; `types`: the class that declares it has another name in other versions. */
  readonly offsetOf: (types: readonly string[], field: string) => number;
  /** Of a static field. */
  readonly addressOf: (types: readonly string[], field: string) => number;
  readonly sizeOf: (type: string) => number;
}

const MOST_ENTRIES = 20_000;

interface Field {
  readonly offset: number;
  readonly address: number;
}

/** `symbols`: what libjvm.so exports. */
export function readVmStructs(memory: AddressSpace, symbols: ReadonlyMap<string, number>): VmStructs {
  const fields = readFields();
  const sizes = readSizes();
  return {
    memory,
    hasField: (types, field) => find(types, field) !== undefined,
    offsetOf: (types, field) => need(types, field).offset,
    addressOf: (types, field) => {
      const { address } = need(types, field);
      if (address === 0) throw new UnknownJvm(`${types[0]}::${field} is not static`);
      return address;
    },
    sizeOf: (type) => sizes.get(type) ?? fail(`there is no type ${type}`),
  };

  function find(types: readonly string[], field: string): Field | undefined {
    const type = types.find((name) => fields.has(`${name}::${field}`));
    return fields.get(`${type}::${field}`);
  }

  function need(types: readonly string[], field: string): Field {
    return find(types, field) ?? fail(`there is no field ${types.join(' or ')}::${field}`);
  }

  function readFields(): ReadonlyMap<string, Field> {
    const typeAt = exported('gHotSpotVMStructEntryTypeNameOffset');
    const nameAt = exported('gHotSpotVMStructEntryFieldNameOffset');
    const offsetAt = exported('gHotSpotVMStructEntryOffsetOffset');
    const addressAt = exported('gHotSpotVMStructEntryAddressOffset');
    const found = new Map<string, Field>();
    for (const entry of entries('gHotSpotVMStructs', 'gHotSpotVMStructEntryArrayStride', typeAt)) {
      const name = `${readText(memory, readWord(memory, entry + typeAt))}::${readText(memory, readWord(memory, entry + nameAt))}`;
      // An entry's offset says nothing where the field is static.
      const address = readWord(memory, entry + addressAt);
      if (!found.has(name))
        found.set(name, { address, offset: address === 0 ? readWord(memory, entry + offsetAt) : 0 });
    }
    return found;
  }

  function readSizes(): ReadonlyMap<string, number> {
    const nameAt = exported('gHotSpotVMTypeEntryTypeNameOffset');
    const sizeAt = exported('gHotSpotVMTypeEntrySizeOffset');
    const found = new Map<string, number>();
    for (const entry of entries('gHotSpotVMTypes', 'gHotSpotVMTypeEntryArrayStride', nameAt))
      found.set(readText(memory, readWord(memory, entry + nameAt)), readWord(memory, entry + sizeAt));
    return found;
  }

  function* entries(table: string, stride: string, nameAt: number): Generator<number> {
    const length = exported(stride);
    const start = exported(table);
    for (let index = 0; index < MOST_ENTRIES; index++) {
      const entry = start + index * length;
      if (readWord(memory, entry + nameAt) === 0) return;
      yield entry;
    }
    throw new UnknownJvm(`${table} has no end`);
  }

  function exported(name: string): number {
    return readWord(memory, symbols.get(name) ?? fail(`it does not export ${name}`));
  }
}

function fail(reason: string): never {
  throw new UnknownJvm(reason);
}
