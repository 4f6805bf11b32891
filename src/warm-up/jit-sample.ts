/** What the JVM tells of itself at one moment; numbers count from its start. Null: this JVM does not tell. */
export interface JitSample {
  /** performance.now() of this process. */
  readonly atMs: number;
  /** CPU time of all compilers. */
  readonly compilerMs: number;
  /** None: nothing waits to be compiled. */
  readonly awakeCompilers: number;
  readonly compilations: number | null;
  /** Methods that were compiled for good and may not be used any more. */
  readonly discardedCode: number | null;
  readonly loadedClasses: number | null;
  readonly collections: number | null;
  readonly collectionMs: number | null;
}

/** What happened between two moments. */
export interface JitChange {
  readonly compilerMs: number;
  readonly compilations: number | null;
  readonly discardedCode: number | null;
  readonly loadedClasses: number | null;
  readonly collections: number | null;
  readonly collectionMs: number | null;
}

/** Compilers that end take their time with them, and code that is unloaded its count: nothing happened backwards. */
export function compareSamples(from: JitSample, to: JitSample): JitChange {
  const grown = (a: number | null, b: number | null) => (a === null || b === null ? null : Math.max(0, b - a));
  return {
    compilerMs: Math.max(0, to.compilerMs - from.compilerMs),
    compilations: grown(from.compilations, to.compilations),
    discardedCode: grown(from.discardedCode, to.discardedCode),
    loadedClasses: grown(from.loadedClasses, to.loadedClasses),
    collections: grown(from.collections, to.collections),
    collectionMs: grown(from.collectionMs, to.collectionMs),
  };
}
