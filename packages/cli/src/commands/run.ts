/** `eos run`: reads to the end of the source, or until it is stopped. */
import { isEosError, messageOf, pipeline, type Pipeline, type RunResult } from '@eos/core';
import { isForPrograms, type Command, type CommandCall } from '../command.js';
import { loadPipeline, type LoadedPipeline } from '../configuration/load.js';
import { EXIT, exitCodeOf, type ExitCode } from '../exit-codes.js';
import { listen } from '../run/events.js';
import { jsonReporter } from '../run/json-lines.js';
import { quietReporter, type Reporter, type RunEnd } from '../run/reporter.js';
import { terminalReporter } from '../run/terminal.js';

export const command: Command = {
  name: 'run',
  summary: 'Runs a pipeline to the end of its source',
  operands: '<pipeline>',
  operandCount: { least: 1, most: 1 },
  description: `Goes on where the destination is. The first SIGINT or SIGTERM commits what was written and ends;
a second one ends at once, and nothing is lost by it either.
In a terminal it shows its progress; in a pipe, and with --json, it prints a line of JSON for each
of start, claim, commit, reject, recover, settle, regress, fence, stop and end. Errors go to standard error.`,
  options: {
    json: { type: 'boolean', description: 'prints lines of JSON in a terminal too' },
    quiet: { type: 'boolean', description: 'prints errors only' },
  },
  examples: [
    'eos run pipeline.yaml',
    'DATABASE_URL=postgresql://localhost/warehouse eos run pipeline.yaml',
    `eos run pipeline.yaml | jq 'select(.event == "commit") | .rows'`,
  ],
  async run(call) {
    const loaded = await loadPipeline(call.operands[0] ?? '', call.io);
    try {
      const made = pipeline(loaded.options);
      return await runIt(made, loaded, call);
    } catch (error) {
      throw loaded.explain(error);
    }
  },
};

async function runIt(
  made: Pipeline,
  loaded: LoadedPipeline,
  { io, ...call }: CommandCall,
): Promise<ExitCode> {
  const { id, source, sinks } = loaded.options;
  const reporter = reporterOf(loaded, { io, ...call });
  const counts = { rows: 0, written: 0, rejected: 0, commits: 0, recoveries: 0 };
  const silence = listen(id, (event) => {
    if (event.name === 'eos:retry') counts.recoveries++;
    if (event.name === 'eos:commit') {
      counts.rows += event.message.rows;
      counts.written += event.message.written;
      counts.rejected += event.message.rejected;
      counts.commits++;
    }
    reporter.event(event);
  });
  const onStop = () => reporter.stop(String(io.stop.reason));
  io.stop.addEventListener('abort', onStop, { once: true });
  const start = performance.now();
  const seconds = () => Math.round(performance.now() - start) / 1000;
  reporter.start({
    pipeline: id,
    source: loaded.hide(source.description),
    sinks: Object.entries(sinks).map(([name, { description }]) => `${name} (${loaded.hide(description)})`),
    guarantee: made.explain().guarantee,
  });
  try {
    const result = await made.run({ signal: io.stop, signals: [] });
    reporter.end({ ...endOf(result, loaded.hide), seconds: seconds() });
    return result.reason === 'end' ? EXIT.done : EXIT.stopped;
  } catch (error) {
    const exitCode = exitCodeOf(error);
    reporter.end({
      reason: exitCode === EXIT.fenced ? 'fenced' : 'failed',
      exitCode,
      ...counts,
      seconds: seconds(),
      error: errorJson(error, loaded.hide),
    });
    throw error;
  } finally {
    io.stop.removeEventListener('abort', onStop);
    silence();
  }
}

function reporterOf({ options, hide }: LoadedPipeline, call: CommandCall): Reporter {
  if (call.options['quiet'] === true) return quietReporter;
  if (isForPrograms(call)) return jsonReporter(call.io.stdout, hide);
  return terminalReporter(call.io.stderr, options.source);
}

function endOf(result: RunResult, hide: (text: string) => string): Omit<RunEnd, 'seconds'> {
  const { reason, rows, written, rejected, commits, recoveries, failure } = result;
  return {
    reason,
    exitCode: reason === 'end' ? EXIT.done : EXIT.stopped,
    rows,
    written,
    rejected,
    commits,
    recoveries,
    ...(failure === undefined ? {} : { error: errorJson(failure, hide) }),
  };
}

function errorJson(error: unknown, hide: (text: string) => string): NonNullable<RunEnd['error']> {
  const message = hide(messageOf(error));
  return isEosError(error)
    ? { code: error.code, message, outcome: error.outcome }
    : { code: 'UNEXPECTED', message };
}
