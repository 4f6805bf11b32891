/** One benchmark: builds what it needs, measures, and gives plain numbers. */
export interface Bench {
  readonly name: string;
  /** For `npm run -s bench` without a name. */
  readonly summary: string;
  readonly run: (options: BenchOptions) => Promise<Measurements>;
  /** How `--write` draws the table: a group of bars, or a line, a row. Absent: there is none. */
  readonly chart?: 'bars' | 'lines';
}

export interface BenchOptions {
  /** How often each variant is measured. */
  readonly runs: number;
  /** Where the bench may put what it builds; kept, so that a rerun is cheap. */
  readonly workDir: string;
  /** JDK of the image, as for `crac-build build --base`; absent: crac-build's own choice. */
  readonly base: string | undefined;
  /** A folder of `examples`; only first-requests takes another than plain-http. */
  readonly example: string;
  readonly javaOptions: readonly string[];
  readonly tell: (line: string) => void;
}

export interface Measurements {
  /** Keys end in their unit: `_ms`, `_mb`. */
  readonly figures: Readonly<Record<string, number>>;
  /** Every single measurement behind a figure, in the order in which it was taken. */
  readonly runs: Readonly<Record<string, readonly number[]>>;
  readonly table?: Table;
}

/** What depends on two things. */
export interface Table {
  /** End in their unit. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
}
