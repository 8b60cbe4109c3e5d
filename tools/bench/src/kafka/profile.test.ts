import { expect, test } from '@jest/globals';
import { timeByPart } from './profile.js';

test('time goes to the part whose function ran, until the next sample', () => {
  const frame = (id: number, url: string, functionName = 'work') => ({
    id,
    callFrame: { url, functionName },
  });
  const nodes = [
    frame(1, '', '(idle)'),
    frame(2, 'file:///eos/packages/kafka/dist/client/wire/crc32c.js'),
    frame(3, 'file:///eos/packages/kafka/dist/encoding/json-rows.js'),
    frame(4, 'file:///eos/packages/kafka/dist/client/cluster.js'),
    frame(5, 'node:net'),
    frame(6, '', '(program)'),
  ];
  const samples = [2, 3, 3, 4, 5, 6, 1];
  const timeDeltas = [9, 10, 20, 30, 40, 50, 60, 70];
  expect(Object.fromEntries(timeByPart({ nodes, samples, timeDeltas }))).toEqual({
    'checksums of record batches': 10,
    'from records to rows, and back': 20 + 30,
    'requests and connections': 40,
    'Node: sockets, buffers, timers': 50,
    'all else': 60,
    waiting: 70,
  });
});
