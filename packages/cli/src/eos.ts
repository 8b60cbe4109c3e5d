/** The command without its process: words in, text and an exit code out. */
import { readFileSync } from 'node:fs';
import type { CommandIo } from './command.js';
import { parseCommandLine } from './command-line.js';
import { COMMANDS } from './commands/index.js';
import { errorText } from './error-text.js';
import { EXIT, exitCodeOf, type ExitCode } from './exit-codes.js';
import { commandHelp, helpOf } from './help.js';

export async function eos(words: readonly string[], io: CommandIo): Promise<ExitCode> {
  try {
    const line = parseCommandLine(COMMANDS, words);
    switch (line.kind) {
      case 'help':
        io.stdout.write(line.command === undefined ? helpOf(COMMANDS) : commandHelp(line.command));
        return EXIT.done;
      case 'version':
        io.stdout.write(`${version()}\n`);
        return EXIT.done;
      case 'call':
        return await line.command.run({ ...line.call, io });
    }
  } catch (error) {
    io.stderr.write(`${errorText(error)}\n`);
    return exitCodeOf(error);
  }
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}
