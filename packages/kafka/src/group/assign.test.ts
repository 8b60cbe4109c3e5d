import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../client/wire/group-protocol.js';
import { assignPartitions } from './assign.js';

const topics = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 30 }));
const members = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 });

test('every partition goes to one member, and no member has two more than another', () => {
  fc.assert(
    fc.property(topics, members, (counts, ids) => {
      const subscribers = ids.map((memberId) => ({ memberId, topics: Object.keys(counts) }));
      const assigned = assignPartitions(subscribers, new Map(Object.entries(counts)));
      const given = [...assigned.values()].map((byTopic) =>
        [...byTopic].flatMap(([topic, numbers]) => numbers.map((number) => `${topic}/${number}`)),
      );
      const all = Object.entries(counts).flatMap(([topic, count]) =>
        Array.from({ length: count }, (_, number) => `${topic}/${number}`),
      );
      expect(given.flat().sort()).toEqual(all.sort());
      const sizes = given.map((list) => list.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      expect(assignPartitions([...subscribers].reverse(), new Map(Object.entries(counts)))).toEqual(assigned);
    }),
  );
});

test('a member is given partitions of the topics that it reads only', () => {
  const subscribers = [
    { memberId: '1', topics: ['a'] },
    { memberId: '2', topics: ['a', 'b'] },
  ];
  const assigned = assignPartitions(
    subscribers,
    new Map([
      ['a', 4],
      ['b', 2],
      ['c', 1],
    ]),
  );
  expect(assigned.get('1')).toEqual(new Map([['a', [0, 2]]]));
  expect(assigned.get('2')).toEqual(
    new Map([
      ['a', [1, 3]],
      ['b', [0, 1]],
    ]),
  );
});

test('what members tell one another is read back as it was written', () => {
  expect(decodeSubscription(encodeSubscription(['a', 'größe']))).toEqual(['a', 'größe']);
  const assignment = new Map([
    ['a', [0, 1, 2_000_000_000]],
    ['b', []],
  ]);
  expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment);
  expect(decodeAssignment(Buffer.alloc(0))).toEqual(new Map());
  expect(() => decodeSubscription(encodeSubscription(['a']).subarray(0, 7))).toThrow(/range|beyond/);
});
