/** A run in a terminal: a bar that moves, and a line at the end. All on standard error. */
import type { LoadedPipeline } from '../configuration/load.js';
import { amount, grouped } from '../numbers.js';
import { openBar, type Bar, type BarStream } from './progress-bar.js';
import type { Reporter, RunEnd } from './reporter.js';
import { Tally } from './tally.js';

/** A look at every file of the source must not take more than a twentieth of the time. */
const LAG_SHARE = 20;
const TICK_MS = 250;

/** @param source tells what is left to read */
export function terminalReporter(stream: BarStream, source: LoadedPipeline['options']['source']): Reporter {
  const tally = new Tally();
  let bar: Bar | undefined;
  let timer: NodeJS.Timeout | undefined;
  const show = () => bar?.show(lineOf(tally, performance.now()), fractionOf(tally));
  const lag = lagReader(source, tally);
  return {
    start({ pipeline, source: from, sinks, guarantee }) {
      stream.write(`${pipeline}: ${from} to ${sinks.join(', ')}, ${guarantee}\n`);
      bar = openBar(stream);
      timer = setInterval(() => {
        lag();
        show();
      }, TICK_MS);
      // It must not keep the process alive.
      timer.unref();
      lag();
    },
    event: (event) => tally.add(event, performance.now()),
    stop(signal) {
      tally.doing = `${signal}: stopping, once more ends it at once`;
      show();
    },
    end(end) {
      clearInterval(timer);
      show();
      bar?.stop();
      stream.write(`${summaryOf(end)}\n`);
    },
  };
}

/** Asks the source from time to time, one question after the other. */
function lagReader(source: LoadedPipeline['options']['source'], tally: Tally): () => void {
  const ask = source.abilities?.lag;
  let next = 0;
  return () => {
    if (ask === undefined || performance.now() < next) return;
    next = Infinity;
    const start = performance.now();
    ask(new Map(tally.positions))
      .then((lag) => {
        tally.lag = lag;
      })
      // What is wrong with the source, the run itself finds.
      .catch(() => undefined)
      .finally(() => {
        const end = performance.now();
        next = end + Math.max(1_000, (end - start) * LAG_SHARE);
      });
  };
}

export function lineOf(tally: Tally, now: number): string {
  const progress = tally.progress();
  const parts = [
    `${grouped(tally.rows)} rows`,
    `${grouped(tally.rate(now))} rows/s`,
    `${grouped(tally.commits)} commits`,
    ...(progress === undefined ? [] : [`${amount(progress.total - progress.done, progress.unit)} left`]),
    ...(tally.rejected === 0 ? [] : [`${grouped(tally.rejected)} bad rows set aside`]),
    ...(tally.recoveries === 0 ? [] : [`${grouped(tally.recoveries)} recoveries`]),
    ...(tally.doing === '' ? [] : [tally.doing]),
  ];
  return parts.join(', ');
}

function fractionOf(tally: Tally): number | undefined {
  const progress = tally.progress();
  if (progress === undefined) return undefined;
  return progress.total === 0 ? 1 : progress.done / progress.total;
}

export function summaryOf({ reason, rows, rejected, commits, recoveries, seconds, error }: RunEnd): string {
  const rate = seconds > 0 ? `, ${grouped(rows / seconds)} rows/s` : '';
  const counts = `${grouped(rows)} rows in ${grouped(commits)} commits, ${seconds.toFixed(1)} s${rate}`;
  const recovered = recoveries === 0 ? '' : `, ${grouped(recoveries)} recoveries`;
  const aside = rejected === 0 ? '' : `, ${grouped(rejected)} bad rows set aside`;
  const unsure = reason === 'stopped' && error !== undefined ? ` (the last commit: ${error.code})` : '';
  return `${WORDS[reason]}: ${counts}${aside}${recovered}${unsure}`;
}

const WORDS = {
  end: 'done',
  stopped: 'stopped before the end; run it again to go on',
  fenced: 'ended, since another copy took over',
  failed: 'failed',
} as const;
