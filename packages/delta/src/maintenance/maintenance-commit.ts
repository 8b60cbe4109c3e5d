import type { CommitInfo, Version } from '../log/actions.js';
import { ENGINE } from '../sink/table-session.js';

/** `commitInfo` of a commit that changes no rows. */
export function maintenanceInfo(
  id: bigint,
  operation: string,
  readVersion: Version,
  now: number,
): CommitInfo {
  return {
    txnId: id.toString(),
    timestamp: now,
    operation,
    operationParameters: {},
    readVersion,
    isolationLevel: 'SnapshotIsolation',
    isBlindAppend: false,
    engineInfo: ENGINE,
  };
}
