/** From the words of a command line to a command and its options. */
import { parseArgs } from 'node:util';
import { EosError } from '@eos/core';
import type { Command, CommandCall } from './command.js';
import { didYouMean } from './configuration/suggest.js';

export type CommandLine =
  | { readonly kind: 'help'; readonly command: Command | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'call'; readonly command: Command; readonly call: Omit<CommandCall, 'io'> };

/** @throws EOS_CONFIG for what the commands do not know */
export function parseCommandLine(commands: readonly Command[], words: readonly string[]): CommandLine {
  const [first] = words;
  if (first === undefined || first === '--help' || first === '-h')
    return { kind: 'help', command: undefined };
  if (first === '--version' || first === '-V') return { kind: 'version' };
  if (first === 'help') return helpFor(commands, words.slice(1));
  const command = findCommand(commands, words);
  return parseCall(command, words.slice(command.name.split(' ').length));
}

function helpFor(commands: readonly Command[], words: readonly string[]): CommandLine {
  return { kind: 'help', command: words.length === 0 ? undefined : findCommand(commands, words) };
}

function findCommand(commands: readonly Command[], words: readonly string[]): Command {
  const found = commands.find(({ name }) => name.split(' ').every((word, index) => words[index] === word));
  if (found !== undefined) return found;
  const [first = ''] = words;
  const group = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  if (group.length > 0) throw usageError(`eos ${first} is not whole: ${group.join(' or ')}`);
  const names = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? name))];
  throw usageError(`there is no command ${JSON.stringify(first)}${didYouMean(first, names)}`);
}

function parseCall(command: Command, words: readonly string[]): CommandLine {
  const { positionals, values } = parsed(command, words);
  if (values['help'] === true) return { kind: 'help', command };
  checkOperands(command, positionals);
  return { kind: 'call', command, call: { operands: positionals, options: values } };
}

function parsed(command: Command, words: readonly string[]) {
  const names = [...Object.keys(command.options), 'help'];
  const types = Object.entries(command.options).map(([name, { type }]) => [name, { type }] as const);
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    const unknown = words.find((word) => word.startsWith('-') && !names.includes(nameOf(word)));
    if (unknown === undefined) throw usageError(plain(error), command, error);
    const option = `--${nameOf(unknown)}`;
    const known = names.map((name) => `--${name}`);
    throw usageError(`there is no option ${option}${didYouMean(option, known)}`, command, error);
  }
}

function nameOf(word: string): string {
  return word.replace(/^-+/, '').replace(/=.*$/s, '');
}

/** parseArgs reports what the user typed by an error whose message says it well, with advice that is not. */
function plain(error: unknown): string {
  const isError = typeof error === 'object' && error !== null && 'message' in error;
  return isError ? (String(error.message).split('. ')[0] ?? '') : String(error);
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const { least, most } = command.operandCount;
  if (operands.length < least) throw usageError(`${command.operands} is missing`, command);
  const extra = operands[most];
  if (extra !== undefined) throw usageError(`${JSON.stringify(extra)} is one operand too many`, command);
}

export function usageLine({ name, operands, options }: Command): string {
  const end = Object.keys(options).length === 0 ? '' : ' [options]';
  return `eos ${name}${operands === '' ? '' : ` ${operands}`}${end}`;
}

function usageError(problem: string, command?: Command, cause?: unknown): EosError {
  const [usage, help] =
    command === undefined
      ? ['eos <command>', 'eos --help']
      : [usageLine(command), `eos ${command.name} --help`];
  return new EosError('EOS_CONFIG', `${problem}\n\nUsage: ${usage}; more by: ${help}`, { cause });
}
