/** A claim: two connections used in turn, so that one transaction is filled while the other commits. */
import { type SessionDriver, type TransactionDriver, type TxId } from '@eos/core';
import { watchBlockers } from './blockers.js';
import type { Claimed } from './claim.js';
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

export interface SessionOptions<Row> extends Claimed {
  readonly links: readonly [Link, Link];
  readonly committer: Committer;
  readonly writers: Writers<Row>;
  /** How long a merge may wait for locks before earlier sessions that hold them are terminated; undefined: never. */
  readonly terminateAfterMs: number | undefined;
}

export function openSession<Row>(options: SessionOptions<Row>): SessionDriver<Row> {
  const slots = options.links.map((link): Slot => ({ link, isUsed: false, cleaning: undefined }));
  return {
    positions: options.positions,
    async begin(id) {
      const slot = slots.find(({ isUsed }) => !isUsed);
      if (slot === undefined) throw mapError(new Error('every connection of the session is in use'));
      slot.isUsed = true;
      await slot.cleaning;
      if (slot.link.lost !== undefined) throw mapError(slot.link.lost);
      return transaction(slot, id, options);
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

function transaction<Row>(slot: Slot, id: TxId, options: SessionOptions<Row>): TransactionDriver<Row> {
  const { link } = slot;
  let writer: Writer<Row> | undefined;
  return {
    // Begun with the first rows: a transaction without any needs no more than its commit.
    async write(batch) {
      try {
        writer ??= options.writers.begin(link);
        await writer.write(batch);
      } catch (error) {
        throw mapError(error);
      }
    },
    async prepare() {
      if (writer !== undefined) await prepare(writer, link, options);
    },
    async commit(moves) {
      await commit(link, options.committer, id, moves, writer !== undefined);
      slot.isUsed = false;
    },
    async rollback() {
      slot.isUsed = false;
      if (writer === undefined) return;
      writer.abandon();
      // Not waited for here: a server that hangs would keep its caller.
      const cleaning = link.run('ROLLBACK').catch(() => link.destroy());
      slot.cleaning = cleaning.finally(() => (slot.cleaning = undefined));
      await Promise.resolve();
    },
  };
}

/**
 * An earlier session whose process hangs may hold locks on rows that this one has to change. It is fenced, but does not know
 * yet. No other transaction of the session is open here, so the other connection is free to look.
 */
async function prepare<Row>(
  writer: Writer<Row>,
  link: Link,
  { links, rivals, terminateAfterMs }: SessionOptions<Row>,
): Promise<void> {
  const watcher = links[0] === link ? links[1] : links[0];
  const work = writer.prepare();
  const watch =
    rivals.length === 0 || terminateAfterMs === undefined
      ? undefined
      : watchBlockers(work, link, { watcher, listed: rivals, afterMs: terminateAfterMs });
  try {
    await work;
  } catch (error) {
    throw mapError(error);
  } finally {
    await watch;
  }
}
