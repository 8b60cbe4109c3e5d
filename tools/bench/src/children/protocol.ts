/** What the parent says to a child on its command line, and what the child says by IPC. */

export interface ChildTask {
  /** `pipeline`: Eos. `copy`: raw COPY, which starts over and remembers nothing. */
  readonly writer: 'pipeline' | 'copy';
  readonly mode: 'append' | 'upsert';
  readonly url: string;
  readonly table: string;
  readonly pipeline: string;
  readonly rows: number;
  readonly rowsPerCommit: number;
  /** Take samples of the memory, and send them at the end. */
  readonly sampleMemory: boolean;
}

/** A moment of a run. */
export interface MemorySample {
  readonly rows: number;
  /** Resident set, in bytes. */
  readonly bytes: number;
}

export type ChildMessage =
  /** The program is loaded; milliseconds since its process was made. */
  | { readonly type: 'loaded'; readonly milliseconds: number }
  | { readonly type: 'commit' }
  | { readonly type: 'done'; readonly samples: readonly MemorySample[]; readonly peakBytes: number };
