import { describe, expect, test } from '@jest/globals';
import { judgeClaim, judgeCommit, judgeTarget } from './claims.js';
import type { EosErrorCode } from './errors.js';
import { initialPosition, type Position } from './positions.js';

const at = (epoch: bigint, owner: bigint, target = 't'): Position => ({
  ...initialPosition(owner, target),
  epoch,
});
const codeOf = (judge: () => void): EosErrorCode | undefined => {
  try {
    judge();
    return undefined;
  } catch (error) {
    return (error as { code: EosErrorCode }).code;
  }
};

describe('claims', () => {
  const earlier = { owners: new Set([1n, 2n]), epoch: 5n };

  test.each([
    ['the first claim takes over', at(9n, 3n), undefined, undefined],
    ['no record is nobody else’s', undefined, earlier, undefined],
    ['its own token', at(5n, 1n), earlier, undefined],
    ['its own token of a claim whose answer was lost', at(7n, 2n), earlier, undefined],
    ['another owner', at(5n, 3n), earlier, 'EOS_FENCED'],
    [
      'another owner behind the acknowledged epoch: a regression, judged first',
      at(4n, 3n),
      earlier,
      undefined,
    ],
  ] as const)('%s', (_, found, claim, code) => {
    expect(codeOf(() => judgeClaim('0', found, claim))).toBe(code);
  });
});

describe('commits', () => {
  test.each([
    ['same epoch and owner', at(5n, 1n), undefined],
    ['another owner', at(5n, 2n), 'EOS_FENCED'],
    ['a later epoch', at(6n, 1n), 'EOS_FENCED'],
    ['an earlier epoch, whoever owns it', at(4n, 2n), 'EOS_POSITION_REGRESSED'],
    ['no record', undefined, 'EOS_POSITION_REGRESSED'],
  ] as const)('%s', (_, found, code) => {
    expect(codeOf(() => judgeCommit('0', found, at(5n, 1n)))).toBe(code);
  });

  test('a claim that is gone before its first commit went back as well', () => {
    expect(codeOf(() => judgeCommit('0', undefined, at(0n, 1n)))).toBe('EOS_POSITION_REGRESSED');
  });
});

describe('targets', () => {
  test('only a record with a commit belongs to a target', () => {
    expect(codeOf(() => judgeTarget('0', at(0n, 1n, 'old'), 'new', 'table'))).toBeUndefined();
    expect(codeOf(() => judgeTarget('0', at(1n, 1n, 'new'), 'new', 'table'))).toBeUndefined();
    expect(codeOf(() => judgeTarget('0', at(1n, 1n, 'old'), 'new', 'table'))).toBe('EOS_TARGET_CHANGED');
  });
});
