/** A claim: two connections used in turn, so that one transaction is filled while the other prepares and commits. */
import {
  isEosError,
  type EosError,
  type Positions,
  type RejectedRows,
  type SessionDriver,
  type TransactionDriver,
  type TxId,
} from '@eos/core';
import { watchBlockers } from './blockers.js';
import { judgeStored, type Claimed } from './claim.js';
import { commit, type Committer } from './commit.js';
import type { Link } from '../connection/connection.js';
import { mapError } from '../connection/error-map.js';
import type { Writer, Writers } from '../modes/writer.js';

interface Slot {
  readonly link: Link;
  isUsed: boolean;
  /** A rollback under way. */
  cleaning: Promise<unknown> | undefined;
  /** A `prepare` under way. */
  preparing: Promise<void> | undefined;
}

export interface SessionOptions<Row> extends Claimed {
  readonly links: readonly [Link, Link];
  readonly committer: Committer;
  readonly writers: Writers<Row>;
  /** How long a merge may wait for locks before earlier sessions that hold them are terminated; undefined: never. */
  readonly terminateAfterMs: number | undefined;
}

export function openSession<Row>(options: SessionOptions<Row>): SessionDriver<Row> {
  const slots = options.links.map((link): Slot => ({
    link,
    isUsed: false,
    cleaning: undefined,
    preparing: undefined,
  }));
  return {
    positions: options.positions,
    async begin(id) {
      const slot = slots.find(({ isUsed }) => !isUsed);
      if (slot === undefined) throw mapError(new Error('every connection of the session is in use'));
      slot.isUsed = true;
      const other = slots.find((candidate) => candidate !== slot);
      // While the other transaction waits for a rival's lock, this connection is what it looks from.
      if (options.rivals.length > 0) await other?.preparing?.catch(nothing);
      await slot.cleaning;
      if (slot.link.lost !== undefined) throw mapError(slot.link.lost);
      return transaction(slot, other, id, options);
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
  other: Slot | undefined,
  id: TxId,
  options: SessionOptions<Row>,
): TransactionDriver<Row> {
  const { link } = slot;
  let writer: Writer<Row> | undefined;
  let step: Promise<void> = Promise.resolve();
  const mapped = async (work: Promise<void>): Promise<void> => {
    step = work;
    await work.catch((error: unknown) => {
      throw mapError(error);
    });
  };
  return {
    // Begun with the first rows: a transaction without any needs no more than its commit.
    async write(batch) {
      const open = (writer ??= begin(link, other?.preparing, id, options));
      await mapped(watched(open.write(batch), link, options));
    },
    async prepare() {
      if (writer === undefined) return;
      const preparing = mapped(watched(writer.prepare(), link, options));
      slot.preparing = preparing;
      try {
        await preparing;
      } finally {
        slot.preparing = undefined;
      }
    },
    async commit(moves) {
      if (link.lost !== undefined) throw await whyLost(link.lost, moves.from, other, options);
      await commit(link, options.committer, id, moves, writer !== undefined);
      slot.isUsed = false;
    },
    rejected: () => writer?.rejected?.() ?? NONE_REJECTED,
    async rollback() {
      slot.isUsed = false;
      if (writer === undefined) return;
      // Not waited for here: a server that hangs would keep the caller.
      const idle = Promise.allSettled([writer.abandon(), step]);
      const cleaning = idle.then(() => link.run('ROLLBACK')).catch(() => link.destroy());
      slot.cleaning = cleaning.finally(() => (slot.cleaning = undefined));
      await Promise.resolve();
    },
  };
}

const NONE_REJECTED: RejectedRows = { counts: new Map(), examples: [] };

function begin<Row>(
  link: Link,
  after: Promise<void> | undefined,
  id: TxId,
  { writers }: SessionOptions<Row>,
): Writer<Row> {
  try {
    return writers.begin(link, after, { id });
  } catch (error) {
    throw mapError(error);
  }
}

/**
 * An earlier session whose process hangs may hold locks on rows, or on keys of a unique index, that this one has to write. It is
 * fenced, but does not know yet. The other connection is free to look: at most it has a commit under way, behind which the look waits.
 */
async function watched<Row>(
  work: Promise<void>,
  link: Link,
  { links, rivals, terminateAfterMs }: SessionOptions<Row>,
): Promise<void> {
  const watcher = otherOf(links, link);
  const watch =
    rivals.length === 0 || terminateAfterMs === undefined
      ? undefined
      : watchBlockers(work, link, { watcher, listed: rivals, afterMs: terminateAfterMs });
  try {
    await work;
  } finally {
    await watch;
  }
}

/**
 * Nothing was sent, so nothing of the transaction can take effect. Where a successor has ended the connection, the claim tells.
 */
async function whyLost<Row>(
  lost: Error,
  from: Positions,
  other: Slot | undefined,
  { committer }: SessionOptions<Row>,
): Promise<EosError> {
  // A connection that the next transaction is being written to answers no question.
  if (other === undefined || other.isUsed) return mapError(lost);
  const reason = await judgeStored(other.link, committer, from).catch((error: unknown) => error);
  return isEosError(reason) ? reason : mapError(lost);
}

function otherOf([first, second]: readonly [Link, Link], link: Link): Link {
  return first === link ? second : first;
}

function nothing(): void {
  // Its own caller is told.
}
