/** What a command is, and what it is given. */
import type { ExitCode } from './exit-codes.js';

/** A command of `eos`: its module exports it as `command`, and `commands/index.ts` lists it. */
export interface Command {
  /** One or two words: `run`, `dead-letters list`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What stands between its name and its options in the usage line: `<pipeline>`. */
  readonly operands: string;
  /** How many operands it takes. */
  readonly operandCount: { readonly least: number; readonly most: number };
  /** Lines for `--help`, below the summary. */
  readonly description: string;
  /** By long name, without `--`. Every command takes `--help` as well. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Whole command lines. */
  readonly examples: readonly string[];
  run(call: CommandCall): Promise<ExitCode>;
}

export interface CommandOption {
  readonly type: 'boolean' | 'string';
  /** With `string`: what the value is called in the help. */
  readonly value?: string;
  readonly description: string;
}

/** One call of a command: everything it may touch of its process. */
export interface CommandCall {
  readonly operands: readonly string[];
  /** What was given, by long name. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly io: CommandIo;
}

export interface CommandIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths on the command line start. */
  readonly folder: string;
  /** Aborted by the first SIGINT or SIGTERM, whose name is the reason, or when nobody reads standard output any more. */
  readonly stop: AbortSignal;
}

/** A stream of text; `process.stdout` is one. */
export interface Output {
  write(text: string): unknown;
  /** Whether a person looks at it. */
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Whether output goes to a program: a pipe or a file, or because `--json` says so. */
export function isForPrograms({ options, io }: CommandCall): boolean {
  return options['json'] === true || io.stdout.isTTY !== true;
}
