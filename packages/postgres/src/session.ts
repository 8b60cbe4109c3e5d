/** A claim: two connections used in turn, so that one transaction is filled while the other commits. */
import type { PartitionId, Position, SessionDriver, TransactionDriver, TxId } from '@eos/core';
import { commit, type Committer } from './commit.js';
import type { Link } from './connection.js';
import { mapError } from './error-map.js';
import type { Writer, Writers } from './writer.js';

interface Slot {
  readonly link: Link;
  isUsed: boolean;
  /** A rollback under way. */
  cleaning: Promise<unknown> | undefined;
}

export function openSession<Row>(
  links: readonly Link[],
  positions: ReadonlyMap<PartitionId, Position>,
  committer: Committer,
  writers: Writers<Row>,
): SessionDriver<Row> {
  const slots = links.map((link): Slot => ({ link, isUsed: false, cleaning: undefined }));
  return {
    positions,
    async begin(id) {
      const slot = slots.find(({ isUsed }) => !isUsed);
      if (slot === undefined) throw mapError(new Error('every connection of the session is in use'));
      slot.isUsed = true;
      await slot.cleaning;
      if (slot.link.lost !== undefined) throw mapError(slot.link.lost);
      return transaction(slot, id, committer, writers);
    },
    async close() {
      await Promise.all(slots.map(closeSlot));
    },
  };
}

/** A server that does not answer must not be waited for: it rolls back what it finds open when it sees the end. */
async function closeSlot({ link, isUsed, cleaning }: Slot): Promise<void> {
  if (isUsed || cleaning !== undefined) link.destroy();
  else await link.close();
}

function transaction<Row>(
  slot: Slot,
  id: TxId,
  committer: Committer,
  writers: Writers<Row>,
): TransactionDriver<Row> {
  const { link } = slot;
  let writer: Writer<Row> | undefined;
  const mapped = (error: unknown): never => {
    throw mapError(error);
  };
  return {
    // Begun with the first rows: a transaction without any needs no more than its commit.
    async write(batch) {
      await Promise.resolve()
        .then(() => (writer ??= writers.begin(link)).write(batch))
        .catch(mapped);
    },
    async prepare() {
      await writer?.prepare().catch(mapped);
    },
    async commit(moves) {
      await commit(link, committer, id, moves, writer !== undefined);
      slot.isUsed = false;
    },
    async rollback() {
      slot.isUsed = false;
      if (writer === undefined) return;
      writer.abandon();
      const cleaning = link.run('ROLLBACK').catch(() => link.destroy());
      slot.cleaning = cleaning.finally(() => (slot.cleaning = undefined));
      await Promise.resolve();
    },
  };
}
