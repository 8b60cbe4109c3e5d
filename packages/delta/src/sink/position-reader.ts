/** Positions as they are now, read by the tail of the log, one call after the other. */
import type { PartitionId, Positions, SinkContext } from '@eos/core';
import type { FilePlace } from '../files/data-file.js';
import { DeltaLog } from '../log/delta-log.js';
import { readRecords } from '../positions/records.js';

export class PositionReader {
  #log: DeltaLog | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly table: FilePlace,
    private readonly context: SinkContext,
  ) {}

  async read(partitions: readonly PartitionId[] | undefined): Promise<Positions> {
    const reading = this.#last.then(() => this.#read(partitions));
    this.#last = reading.catch(() => undefined);
    return await reading;
  }

  async #read(partitions: readonly PartitionId[] | undefined): Promise<Positions> {
    const { store, place } = this.table;
    if (this.#log === undefined) this.#log = await DeltaLog.open(store, place);
    else await this.#log.refresh();
    const { state } = this.#log;
    if (state.version < 0) return new Map();
    return readRecords(state.transactions, this.context, state.metadata.id, partitions);
  }
}
