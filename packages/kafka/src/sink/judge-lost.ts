/** Why a producer was lost: told by what the positions topic holds. */
import { EosError, judgeCommit, type PartitionId, type Position, type SinkContext } from '@eos/core';
import { setTimeout as delay } from 'node:timers/promises';
import { eosError } from '../client/eos-error.js';
import type { PositionsTopic } from '../positions/positions-topic.js';

/** A successor fences first, and says who it is a moment later. */
const SUCCESSOR_MS = 200;
const POLL_MS = 20;

/**
 * A takeover (another owner), a destination that went back (a lower epoch, judged first), or else a broker that has ended a transaction that
 * was open for too long: then the claim still holds, and recovering it is no theft.
 */
export async function whyLost(
  topic: PositionsTopic,
  context: SinkContext,
  partition: PartitionId,
  from: Position,
  failure: unknown,
): Promise<EosError> {
  const deadline = performance.now() + SUCCESSOR_MS;
  try {
    for (;;) {
      const found = await topic.read(context, [partition]);
      judgeCommit(partition, found.get(partition)?.position, from);
      if (performance.now() > deadline) break;
      await delay(POLL_MS);
    }
  } catch (error) {
    return eosError(error);
  }
  const message =
    `the broker has ended the transaction of partition ${partition}, although nobody else has claimed it: ` +
    `it was open for longer than transactionTimeoutMs, or its coordinator has lost it`;
  return new EosError('EOS_UNAVAILABLE', message, {
    retryable: true,
    details: { partition },
    cause: failure,
  });
}
