/** What `--help` prints. */
import type { Command } from './command.js';
import { usageLine } from './command-line.js';
import { EXIT_TEXT } from './exit-codes.js';

export function helpOf(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: eos <command> [options]

Exactly-once pipelines from a file of configuration.

Commands:
${lines.join('\n')}

More on each: eos <command> --help. The version: eos --version.

${EXIT_TEXT}
`;
}

export function commandHelp(command: Command): string {
  const options = [
    ...Object.entries(command.options).map(([name, { value, description }]): [string, string] => [
      value === undefined ? `--${name}` : `--${name} <${value}>`,
      description,
    ]),
    ['-h, --help', 'prints this'] as const,
  ];
  const width = Math.max(...options.map(([name]) => name.length));
  return `Usage: ${usageLine(command)}

${command.summary}

${command.description.trim()}

Options:
${options.map(([name, description]) => `  ${name.padEnd(width)}  ${description}`).join('\n')}

Examples:
${command.examples.map((line) => `  ${line}`).join('\n')}

${EXIT_TEXT}
`;
}
