/** Every command, in the order of the help. */
import type { Command } from '../command.js';
import { command as adopt } from './adopt.js';
import { command as compact } from './compact.js';
import { list as listDeadLetters, replay as replayDeadLetters } from './dead-letters.js';
import { command as explain } from './explain.js';
import { command as run } from './run.js';
import { command as schema } from './schema.js';
import { command as status } from './status.js';
import { command as vacuum } from './vacuum.js';
import { command as verify } from './verify.js';

export const COMMANDS: readonly Command[] = [
  run,
  status,
  verify,
  explain,
  listDeadLetters,
  replayDeadLetters,
  adopt,
  compact,
  vacuum,
  schema,
];
