/** Every command, in the order of the help. */
import type { Command } from '../command.js';
import { command as explain } from './explain.js';
import { command as run } from './run.js';
import { command as schema } from './schema.js';
import { command as status } from './status.js';

export const COMMANDS: readonly Command[] = [run, status, explain, schema];
