/** What a session knows of its table, and judges again before each commit. */
import { EosError, type Positions, type SinkContext } from '@eos/core';
import { judgeCommit, judgeTarget } from '@eos/core';
import type { CommitInfo, Metadata, Protocol } from '../log/actions.js';
import type { TableState } from '../log/table-state.js';
import { readOwnership } from '../positions/records.js';

export const ENGINE = 'Eos/0.1.0';

/**
 * May a commit go on top of this state? Epoch first, then owner (law 5), then what the rows were encoded for.
 * @throws EOS_POSITION_REGRESSED, EOS_FENCED; EOS_UNAVAILABLE, retryable, where the table was altered since the session began
 */
export function judgeState(
  state: TableState,
  context: SinkContext,
  from: Positions,
  expected: { readonly protocol: Protocol; readonly metadata: Metadata },
): void {
  for (const [partition, position] of from)
    judgeCommit(partition, readOwnership(state.transactions, context, partition), position);
  if (state.version < 0) throw altered('it is not there any more');
  const { metadata, protocol } = state;
  if (metadata.id !== expected.metadata.id) {
    for (const [partition, position] of from) judgeTarget(partition, position, metadata.id, 'Delta table');
  }
  if (metadata !== expected.metadata && textOf(metadata) !== textOf(expected.metadata))
    throw altered('its columns or properties are others');
  if (protocol !== expected.protocol && textOf(protocol) !== textOf(expected.protocol))
    throw altered('its protocol is another one');
}

function textOf(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** A session that begins anew looks at what there is. */
function altered(what: string): EosError {
  return new EosError('EOS_UNAVAILABLE', `the Delta table was altered since this session began: ${what}`, {
    retryable: true,
  });
}

/** `commitInfo` of a commit, as other writers have it: `txnId` tells one's own. */
export function commitInfo(
  id: bigint,
  { pipeline, sink }: SinkContext,
  commit: {
    readonly operation: string;
    readonly parameters: Readonly<Record<string, string>>;
    readonly isBlindAppend: boolean;
    readonly readVersion: number;
    readonly now: number;
  },
): CommitInfo {
  const { operation, parameters, isBlindAppend, readVersion, now } = commit;
  return {
    txnId: id.toString(),
    timestamp: now,
    operation,
    operationParameters: { ...parameters, pipeline, sink },
    ...(readVersion < 0 ? {} : { readVersion }),
    isolationLevel: 'Serializable',
    isBlindAppend,
    engineInfo: ENGINE,
  };
}
