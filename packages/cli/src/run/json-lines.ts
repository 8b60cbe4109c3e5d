/** A run as lines of JSON, one for each event: for programs and logs. Whole numbers beyond 2^53 are decimal strings. */
import type { Position, Positions } from '@eos/core';
import type { Output } from '../command.js';
import type { RunEvent } from './events.js';
import type { Reporter } from './reporter.js';

export function jsonReporter(output: Output, hide: (text: string) => string): Reporter {
  const write = (event: string, body: object) => {
    output.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...body })}\n`);
  };
  return {
    start: (start) => write('start', start),
    event: (event) => write(...lineOf(event, hide)),
    stop: (signal) => write('stop', { signal }),
    end: (end) => write('end', end),
  };
}

function lineOf({ name, message }: RunEvent, hide: (text: string) => string): [string, object] {
  const { pipeline, sink } = message;
  const common = { pipeline, sink };
  switch (name) {
    case 'eos:claim':
      return [
        'claim',
        { ...common, owner: String(message.owner), positions: positionsJson(message.positions) },
      ];
    case 'eos:commit': {
      const { txId, rows, written, rejected, milliseconds, positions } = message;
      const counts = { rows, written, rejected, milliseconds: Math.round(milliseconds) };
      return ['commit', { ...common, txId: String(txId), ...counts, positions: positionsJson(positions) }];
    }
    case 'eos:reject': {
      const { txId, rows } = message;
      const examples = message.examples.map((error) => ({ code: error.code, message: hide(error.message) }));
      return ['reject', { ...common, txId: String(txId), rows, examples }];
    }
    case 'eos:settle':
      return [
        'settle',
        { ...common, txId: String(message.txId), outcomes: Object.fromEntries(message.outcomes) },
      ];
    case 'eos:fence': {
      const { error, isOver } = message;
      return ['fence', { ...common, code: error.code, message: hide(error.message), isOver }];
    }
    case 'eos:regress': {
      const { partition, expected, found } = message;
      return ['regress', { ...common, partition, expected: String(expected), found: String(found) }];
    }
    case 'eos:retry': {
      const { error, attempt, delay } = message;
      const { code } = error;
      return [
        'recover',
        { ...common, code, message: hide(error.message), attempt, delayMs: Math.round(delay) },
      ];
    }
  }
}

function positionsJson(positions: Positions): object {
  return Object.fromEntries(
    [...positions].map(([partition, position]) => [partition, positionJson(position)]),
  );
}

/** What a reader of a log needs of a position. */
export function positionJson({ epoch, offset }: Position): object {
  return { epoch: String(epoch), offset: offset === null ? null : String(offset) };
}
