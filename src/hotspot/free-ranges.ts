import { type Range, UnknownJvm } from './address-space.ts';

/** What nobody reads before writing to it. */
export interface FreeRanges {
  /** By address. */
  readonly ranges: readonly Range[];
  /** Why there are none. */
  readonly unknown?: string;
}

/** Nothing is free where what was read does not fit together. */
export function unlessUnknown<Found extends FreeRanges>(find: () => Found): Found | FreeRanges {
  try {
    return find();
  } catch (error) {
    if (error instanceof UnknownJvm) return { ranges: [], unknown: error.message };
    throw error;
  }
}
