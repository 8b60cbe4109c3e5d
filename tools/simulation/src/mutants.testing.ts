/** The core with one rule broken, each by a patch of its source. The simulation must find every one. */
import type { Patch } from './laboratory.testing.js';

export interface Mutant {
  /** What it does wrong. */
  readonly name: string;
  readonly patches: readonly Patch[];
}

const mutant = (name: string, file: string, find: string, replace: string, ...more: Patch[]): Mutant => ({
  name,
  patches: [{ file, find, replace }, ...more],
});

/** What the destination compares (laws 1, 2, 4, 5). */
const JUDGEMENTS = [
  mutant(
    'a commit is not asked for its owner',
    'claims.ts',
    'if (found.epoch > from.epoch || found.owner !== from.owner)',
    'if (found.epoch > from.epoch)',
  ),
  mutant(
    'a commit is not asked for its epoch',
    'claims.ts',
    'found.epoch > from.epoch || found.owner',
    'found.owner',
    {
      file: 'claims.ts',
      find: 'found === undefined || found.epoch < from.epoch',
      replace: 'found === undefined',
    },
  ),
  mutant(
    'a commit is judged by its owner before its epoch',
    'claims.ts',
    'if (found === undefined || found.epoch < from.epoch)',
    'if (found !== undefined && found.owner !== from.owner) throw fencedError(partition);\n  if (found === undefined || found.epoch < from.epoch)',
  ),
  mutant(
    'a later claim takes over from anybody',
    'claims.ts',
    'if (earlier.owners.has(found.owner)) return;',
    'return;',
  ),
  mutant(
    'a claim takes a destination that went back for a takeover',
    'claims.ts',
    'if (found.epoch < earlier.epoch) return;',
    '',
  ),
  mutant(
    'a claim does not look whose table it is',
    'claims.ts',
    'if (found === undefined || found.epoch === 0n || found.target === target) return;',
    'return;',
  ),
  mutant('a commit leaves the epoch as it is', 'positions.ts', 'epoch: from.epoch + 1n', 'epoch: from.epoch'),
];

/** What a process knows of its claims (laws 1, 4, 5). */
const CLAIMS = [
  mutant(
    'every claim takes over',
    'runner/claim-ledger.ts',
    'sink.recover(partitions, { owner, replacing })',
    'sink.recover(partitions, { owner })',
  ),
  mutant(
    'a first claim has no condition',
    'runner/claim-ledger.ts',
    'sink.recover(partitions, { owner, replacing })',
    'sink.recover(partitions, { owner, replacing: new Map([...replacing].filter(([name]) => this.#entries.has(name))) })',
  ),
  mutant(
    'the token of a claim is forgotten where its answer is lost',
    'runner/claim-ledger.ts',
    "isEosError(error) && error.outcome === 'unknown'",
    'false',
  ),
  mutant(
    'a claim whose answer was lost is taken for one that landed',
    'runner/claim-ledger.ts',
    'new Set([...owners, owner])',
    'new Set([owner])',
  ),
  mutant(
    'a lost answer to a claim means that it did not land',
    'state/sink.ts',
    "() => this.driver.recover({ partitions: distinct, owner, replacing }),\n      'unknown',",
    "() => this.driver.recover({ partitions: distinct, owner, replacing }),\n      'aborted',",
  ),
  mutant(
    'acknowledged epochs are not remembered',
    'runner/claim-ledger.ts',
    'if (entry !== undefined) entry.epoch = epoch;',
    '',
  ),
  mutant(
    'a new assignment is claimed as the old one',
    'runner/claim-ledger.ts',
    'for (const partition of partitions) this.#entries.delete(partition);',
    '',
  ),
  mutant(
    'what was fenced tries again',
    'runner/retrying.ts',
    'if (!isEosError(error) || !error.retryable) throw error;',
    'if (!isEosError(error)) throw error;',
  ),
];

/** What becomes of a commit (law 3). */
const OUTCOMES = [
  mutant(
    'a lost answer to a commit means that it did not land',
    'state/transaction.ts',
    "hasRows: this.#written.size > 0 }), 'unknown');",
    "hasRows: this.#written.size > 0 }), 'aborted');",
  ),
  mutant(
    'a commit that landed without its answer is settled as aborted',
    'runner/claim-ledger.ts',
    "landed ? 'committed' : 'aborted'",
    "'aborted'",
  ),
  mutant(
    'a commit that landed in part is taken as aborted',
    'runner/run.ts',
    'if (committed.length > 0)',
    'if (committed.length === outcomes.size)',
  ),
  mutant(
    'a commit that landed in part is taken as committed',
    'runner/run.ts',
    'this.#committed(sent, committed)',
    'this.#committed(sent, sent.counts.keys())',
  ),
  mutant(
    'an acknowledged commit is settled once more',
    'runner/run.ts',
    'this.#sent = undefined;\n    ledger.advanced',
    'ledger.advanced',
  ),
  mutant(
    'a failed commit counts as acknowledged',
    'runner/transactions.ts',
    'await transaction.commit(range);',
    'await transaction.commit(range).catch(() => undefined);',
  ),
  mutant(
    'the session lives on after a failed commit',
    'state/transaction.ts',
    'this.session.ended(this);\n      this.session.die(asEosError(error));',
    'this.session.ended(this);',
  ),
  mutant(
    'the same session goes on after a lost answer',
    'state/transaction.ts',
    'this.session.ended(this);\n      this.session.die(asEosError(error));',
    'this.session.ended(this);',
    { file: 'runner/transactions.ts', find: 'this.#failure = { error };', replace: '' },
  ),
  mutant(
    'a transaction is rolled back whose commit was sent',
    'state/transaction.ts',
    "new Set(['open', 'preparing', 'prepared', 'failed'])",
    "new Set(['open', 'preparing', 'prepared', 'failed', 'committing'])",
  ),
  mutant(
    'failures are counted although something was committed between them',
    'runner/run.ts',
    'this.#retrying.succeeded();',
    '',
  ),
];

/** Which rows go into which transaction. */
const ROWS = [
  mutant(
    'one row too many is dropped',
    'runner/feed.ts',
    '(offsets[dropped] ?? expected) < expected',
    '(offsets[dropped] ?? expected) <= expected',
  ),
  mutant(
    'rows that were committed are not dropped',
    'runner/feed.ts',
    'if (first === undefined || first >= expected) return batch;',
    'return batch;',
  ),
  mutant(
    'what was handed out is not remembered',
    'runner/feed.ts',
    'this.#expected.set(batch.partition, fresh.next);',
    '',
  ),
  mutant(
    'reading starts where the process believed to be',
    'runner/run.ts',
    'this.#positions = session.positions;',
    'if (this.#positions.size === 0) this.#positions = session.positions;',
    {
      file: 'runner/run.ts',
      find: 'assignment.open(session.positions, stop)',
      replace: 'assignment.open(this.#positions, stop)',
    },
  ),
  mutant(
    'a commit moves to where reading is, not to what was written',
    'runner/transactions.ts',
    'offset: last.next,',
    'offset: this.#feed.reached(partition) ?? last.next,',
    {
      file: 'runner/feed.ts',
      find: '  /** Starts reading at most',
      replace:
        '  reached(partition: PartitionId) { return this.#expected.get(partition); }\n\n  /** Starts reading at most',
    },
  ),
  mutant(
    'the next transaction is prepared before the last commit is acknowledged',
    'runner/transactions.ts',
    'const filled = await this.#fill();\n      await this.#lastSettled();',
    'const filled = await this.#fill();',
    { file: 'state/transaction.ts', find: 'if (this.session.hasEarlier(this)) {', replace: 'if (false) {' },
  ),
  mutant(
    'the next rows go into the transaction that commits',
    'runner/transactions.ts',
    'this.#open = undefined;\n      this.#settling',
    'this.#settling',
  ),
  mutant(
    'a transaction takes one half of an update',
    'runner/transactions.ts',
    'halves.add(source.partition);',
    '{}',
  ),
  mutant(
    'a batch without rows ends an update',
    'runner/transactions.ts',
    'else if (source.rows.length > 0) halves.delete',
    'else halves.delete',
  ),
  mutant(
    'a stop commits one half of an update',
    'runner/transactions.ts',
    'halves.size > 0 && this.options.stop.aborted',
    'false',
  ),
];

/** What a member of a group does when it was fenced (law 4). */
const GROUPS = [
  mutant(
    'a fenced member of a group claims again without asking the group',
    'runner/run.ts',
    "rejoin();\n        return 'revoked';",
    'ledger.forget(partitions);\n        return await this.#attempt(sink, assignment);',
  ),
];

/** What is left behind. */
const ENDINGS = [
  mutant(
    'a transaction that failed is not rolled back',
    'state/session.ts',
    '[...this.#open].map((transaction) => transaction.rollback())',
    '[]',
    { file: 'runner/transactions.ts', find: 'await this.#open?.rollback();', replace: '' },
    { file: 'runner/transactions.ts', find: 'await transaction.rollback();', replace: '' },
  ),
  mutant(
    'the session stays open after its run',
    'runner/run.ts',
    '} finally {\n      await closeQuietly(session);',
    '} finally {',
    { file: 'state/sink.ts', find: '[...this.#sessions].map((session) => session.close())', replace: '[]' },
  ),
];

export const MUTANTS: readonly Mutant[] = [
  ...JUDGEMENTS,
  ...CLAIMS,
  ...OUTCOMES,
  ...ROWS,
  ...GROUPS,
  ...ENDINGS,
];
