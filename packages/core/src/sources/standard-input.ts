/** Standard input, which cannot be read again. */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { EosError, messageOf } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Positions } from '../positions.js';
import type { Columns, InferRow, JsonValue, RowSchema } from '../schema.js';
import type { ReadLimit, Source, SourceBatch, SourceReader } from '../source.js';
import { csvFormatOf } from './csv-source.js';
import type { CsvOptions } from './csv.js';
import { Interruption } from './interruption.js';
import { ndjsonFormatOf } from './json-sources.js';
import {
  changelogOf,
  windowOptions,
  type AnySchemaOption,
  type NoSchemaOption,
  type RecordOptions,
  type SchemaOption,
} from './record-options.js';
import { rowLimit } from './reader-errors.js';
import { RecordReader } from './record-reader.js';
import type { RecordFormat } from './records.js';
import { TextWindow, type ByteInput, type WindowOptions } from './text-window.js';

interface InputOption {
  /** What is read instead of `process.stdin`. Ended when the reader is closed. */
  readonly input?: Readable;
}

export type NdjsonInputOptions = RecordOptions & InputOption & { readonly format: 'ndjson' };
export type CsvInputOptions = RecordOptions & InputOption & CsvOptions & { readonly format: 'csv' };

/**
 * Standard input, as NDJSON or CSV, in partition `0`. It is not replayable, so a pipeline from it is `at-most-once`: what was
 * read and not committed is lost with the process, or with the first failure that would need a retry. Nothing is doubled.
 *
 * Offsets count the bytes of the stream. A later run reads another stream: it takes what it is given from its beginning, does not
 * skip what an earlier one committed, and goes on counting from the stored offset, so that positions ascend. The identity of a
 * position says in which run it was made.
 *
 * @throws EOS_CONFIG
 */
export function standardInput<C extends Columns>(
  options: (NdjsonInputOptions | CsvInputOptions) & SchemaOption<C>,
): Source<InferRow<RowSchema<C>>>;
export function standardInput(options: NdjsonInputOptions & NoSchemaOption): Source<JsonValue>;
export function standardInput(options: CsvInputOptions & NoSchemaOption): Source<Record<string, string>>;
export function standardInput<C extends Columns>(
  options: (NdjsonInputOptions | CsvInputOptions) & AnySchemaOption<C>,
): Source<unknown> {
  const format: RecordFormat<unknown> =
    options.format === 'csv' ? csvFormatOf(options) : ndjsonFormatOf(options);
  const window = windowOptions(options);
  let isTaken = false;
  return {
    description: `${format.name} standard input`,
    changelog: changelogOf(options),
    replayable: false,
    async *assignments() {
      yield {
        partitions: [PARTITION],
        open: (positions, signal) => {
          if (isTaken) return Promise.reject(takenError());
          isTaken = true;
          const origin = originOf(positions);
          const input = options.input ?? process.stdin;
          return Promise.resolve(new StreamReader(input, format, { ...window, origin }, signal));
        },
      };
    },
  };
}

const PARTITION: PartitionId = '0';

class StreamReader<Row> implements SourceReader<Row> {
  readonly #run = randomBytes(16).toString('hex');
  readonly #interruption: Interruption;
  readonly #reader: RecordReader<Row>;

  constructor(
    private readonly input: Readable,
    format: RecordFormat<Row>,
    options: WindowOptions & { readonly origin: number },
    signal: AbortSignal,
  ) {
    this.#interruption = new Interruption(signal);
    const place = { partition: PARTITION, offset: options.origin };
    const text = new TextWindow(streamInput(input, this.#interruption), options.origin, place, options);
    const identity = { kind: 'stdin', run: this.#run };
    this.#reader = new RecordReader(text, format.parser(place), format, place, {
      taken: () => undefined,
      identity: () => () => Promise.resolve(identity),
    });
  }

  async read(limit: ReadLimit): Promise<SourceBatch<Row> | undefined> {
    this.#interruption.check();
    return await this.#reader.read(rowLimit(limit));
  }

  close(): Promise<void> {
    this.#interruption.close();
    // A pending read of standard input would keep the process alive.
    this.input.destroy();
    return Promise.resolve();
  }
}

function streamInput(input: Readable, interruption: Interruption): ByteInput {
  // A Readable's own iterator is typed any.
  const chunks: AsyncIterator<unknown> = input[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  return {
    async read(buffer, at, length) {
      while (chunk.length === 0) {
        const next = await interruption.wait(nextOf(chunks));
        if (next.done === true) return 0;
        chunk = bytesOf(next.value);
      }
      const copied = chunk.copy(buffer, at, 0, Math.min(length, chunk.length));
      chunk = chunk.subarray(copied);
      return copied;
    },
  };
}

async function nextOf(chunks: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
  try {
    return await chunks.next();
  } catch (error) {
    const message = `standard input could not be read: ${messageOf(error)}`;
    throw new EosError('EOS_SOURCE_UNAVAILABLE', message, { cause: error });
  }
}

function bytesOf(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return Buffer.from(chunk);
  throw new EosError('EOS_CONFIG', 'the input must be a stream of bytes or text');
}

function originOf(positions: Positions): number {
  return Number(positions.get(PARTITION)?.offset ?? 0n);
}

function takenError(): EosError {
  return new EosError('EOS_SOURCE_UNAVAILABLE', 'standard input was read already, and cannot be read again');
}
