/** What a writer to tables in a bucket is told, and what it writes. */
import type { ChangelogMode } from '@eos/core';
import { changeAt, schema, type SoakChange } from '../changes.js';

/** Each has a pipeline of its own for each table; the last one is never killed. */
export const WRITERS = ['0', '1', '2', '3'] as const;
export type WriterName = (typeof WRITERS)[number];
export const STEADY: WriterName = '3';

/** The client of half of them settles what became of a request by itself; of the others the runner has to. */
export function attemptsOf(writer: WriterName): number {
  return writer === '0' || writer === STEADY ? 5 : 1;
}

/** `changes` is compacted and vacuumed all the while, `listed` is watched by a tool that only lists. */
export const TABLES = [
  { name: 'changes', mode: 'upsert', visibility: 'log' },
  { name: 'listed', mode: 'append', visibility: 'listing' },
] as const satisfies readonly Table[];

export interface Table {
  readonly name: string;
  readonly mode: Extract<ChangelogMode, 'append' | 'upsert'>;
  readonly visibility: 'log' | 'listing';
}

export interface ClientOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly forcePathStyle: true;
  /** How often the client sends a request by itself. */
  readonly maxAttempts: number;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface S3Task {
  readonly writer: WriterName;
  readonly bucket: string;
  readonly client: ClientOptions;
  /** When the first change happened, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Changes a second of each table. */
  readonly rate: number;
}

export const SINK = 'soak';

export function pipelineOf(writer: WriterName, { name }: Table): string {
  return `${name}-${writer}`;
}

/** The options of a table, but for where it is. */
export function tableOptions({ name, mode, visibility }: Table) {
  return { prefix: name, schema, mode, visibility, ...(mode === 'upsert' ? { key: ['id'] } : {}) };
}

/** No key of one writer is one of another. */
export function changeOf(writer: WriterName, mode: Table['mode'], offset: bigint): SoakChange {
  const { op, row } = changeAt(mode, offset);
  return { op, row: { ...row, id: idOf(writer, BigInt(row.id)) } };
}

export function idOf(writer: WriterName, id: bigint): bigint {
  return id * BigInt(WRITERS.length) + BigInt(writer);
}
