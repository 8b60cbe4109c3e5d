/** Records that cannot be read. */
import { channel } from 'node:diagnostics_channel';
import { EosError } from '@eos/core';
import type { PoisonRecord } from '../encoding/format.js';
import type { PoisonPolicy } from './partition-reader.js';

/** What becomes of a record that cannot be read. */
export type UnreadableRecords = 'fail' | 'skip';

/** The message of the diagnostics channel `eos:kafka:skip`: a record that could not be read was skipped. */
export interface SkippedRecord {
  readonly pipeline: string;
  /** `<topic>/<number>` */
  readonly partition: string;
  /** EOS_SOURCE_FORMAT with the offset, and why. */
  readonly error: EosError;
  /** How many were skipped since the source was opened. */
  readonly total: number;
}

/** Counts what is skipped, over all partitions of a source. */
export class SkipCounter {
  total = 0;
  readonly #channel = channel('eos:kafka:skip');

  constructor(
    private readonly pipeline: string,
    private readonly most: number,
  ) {}

  /** The policy of one partition. */
  policy(unreadable: UnreadableRecords, partition: string): PoisonPolicy {
    let inARow = 0;
    return {
      judge: ({ error }: PoisonRecord) => {
        if (unreadable === 'fail') throw error;
        this.total++;
        if (++inARow > this.most) {
          const message = `more than ${this.most} records in a row cannot be read; the last one: ${error.message}`;
          throw new EosError('EOS_SOURCE_FORMAT', message, { cause: error, details: error.details });
        }
        const { pipeline, total } = this;
        if (this.#channel.hasSubscribers)
          this.#channel.publish({ pipeline, partition, error, total } satisfies SkippedRecord);
      },
      readGood: () => {
        inARow = 0;
      },
    };
  }
}
