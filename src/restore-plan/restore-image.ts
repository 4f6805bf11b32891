/** The compiled checkpoint: what goes under /opt/crac/checkpoint. */
export interface RestoreImage {
  /** Local paths. */
  readonly planFile: string;
  readonly memFile: string;
  readonly planBytes: number;
  readonly memBytes: number;
  readonly threadCount: number;
  readonly mappingCount: number;
  /** Pages left out, by cause. */
  readonly droppedPages: Readonly<Record<'zero' | 'equal-to-file' | 'dead-stack', number>>;
}
