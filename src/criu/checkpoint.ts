import type { StateReport } from './state-report.ts';

/** A successful CRIU dump, copied out of the container, and what was true when it was taken. */
export interface Checkpoint {
  /** Folder with CRIU's image files (`inventory.img`, `core-*.img`, `pages-*.img` …). */
  readonly imagesDir: string;
  /** Reads a file of the container's root as it was at the checkpoint (mapped files are compared with it). */
  readonly rootFile: (path: string) => Promise<RootFile | undefined>;
  readonly ready: ReadyFacts;
  readonly cpu: readonly CpuidLeaf[];
  /** Of the machine that it was taken on: "6.1.0-18-amd64". */
  readonly kernel?: string;
  /** The app's files written since launch, with their content: an uncompressed tar on disk, "" when nothing was written. */
  readonly stateTar: string;
  /** What is in it, and what is not; absent: nobody has looked. */
  readonly state?: StateReport;
}

export interface RootFile {
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  /** Local path of a copy that can be read. */
  readonly localPath: string;
}

/** What `ctl checkpoint` prints on success: one JSON object; addresses as "0x…" strings. */
export interface ReadyFacts {
  readonly pid: number;
  readonly mailbox: { readonly address: string; readonly sizeBytes: number; readonly nonce: string };
  /** Address of the int64 that is added to System.nanoTime(). */
  readonly nanoOffset: string;
  readonly javaVersion: string;
  readonly gc: string;
  /** What was done inside the JVM, in this order. */
  readonly steps: readonly JvmStep[];
  /** What lived in the heap before the last collection; null: nobody has counted. */
  readonly classes?: ClassHistogram | null;
  /** To what the heap may grow: the JVM decided it when it started. */
  readonly maxHeapBytes?: number;
  /** Where the heap is reserved; null: the JVM does not tell. */
  readonly heap?: AddressRange | null;
  /** What else is the JVM's own; absent: nobody has asked. */
  readonly jvmMemory?: {
    /** Null: the JVM does not tell. */
    readonly codeCache: AddressRange | null;
    /** Reserved memory with class metadata in it, the class space included; the CDS archive may lie within. */
    readonly metaspace: readonly AddressRange[];
  };
  /** By what the code in memory was chosen; absent: nobody has asked. */
  readonly cpu?: ChosenCpu;
  /** Descriptors that are not simply opened again; absent: nobody has looked at what is open. */
  readonly resources?: readonly { readonly fd: number; readonly action: ResourceAction }[];
}

export interface ClassHistogram {
  /** Of all classes. */
  readonly instances: number;
  readonly bytes: number;
  /** The largest first. */
  readonly top: readonly { readonly name: string; readonly instances: number; readonly bytes: number }[];
}

export interface JvmStep {
  /** One of src/steps.ts, or what cannot be left out: `beforeCheckpoint`, `client`. */
  readonly name: string;
  readonly ms: number;
  /** By how much fewer bytes of anonymous memory were resident after it; negative: there were more. */
  readonly freedBytes: number;
  /** Why it did less than it could. */
  readonly note?: string | undefined;
}

export interface AddressRange {
  readonly address: string;
  readonly sizeBytes: number;
}

/**
 * `close`: a stand-in takes its place; `reopen`: opened again, files at their place also for writing; `ignore`: restored as
 * far as that is possible, else a stand-in.
 */
export type ResourceAction = 'close' | 'reopen' | 'ignore';

export interface ChosenCpu {
  /** HotSpot's own names of the features that it uses ("AVX512_VBMI2"); null: it does not tell all of them. */
  readonly jvm: readonly string[] | null;
  /** glibc's view of cpuid, without what GLIBC_TUNABLES took away; null: another C library, or one that does not tell. */
  readonly libc: readonly CpuidLeaf[] | null;
}

/** One line of `ctl cpu`. */
export interface CpuidLeaf {
  readonly leaf: number;
  readonly subleaf: number;
  readonly registers: readonly [eax: number, ebx: number, ecx: number, edx: number];
}
