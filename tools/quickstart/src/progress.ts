/** What the user sees while writers live and die: a bar in a terminal, a few lines elsewhere. All on standard error. */
import { SingleBar } from 'cli-progress';

export interface ProgressState {
  readonly rows: number;
  readonly commits: number;
  readonly kills: number;
  readonly doing: string;
}

export interface Progress {
  show(state: ProgressState): void;
  /** Leaves the bar as it is and gives the cursor back. */
  stop(): void;
}

export interface ProgressTotals {
  readonly rows: number;
  readonly kills: number;
}

export function startProgress(totals: ProgressTotals, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? barOn(stream, totals) : linesOn(stream, totals);
}

function barOn(stream: NodeJS.WriteStream, totals: ProgressTotals): Progress {
  const bar = new SingleBar({
    stream,
    // Fits into 80 columns.
    format: `{bar} {value}/{total} rows, {commits} commits, {kills}/${totals.kills} kills, {doing}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 16,
    hideCursor: true,
    gracefulExit: false,
  });
  bar.start(totals.rows, 0, { commits: 0, kills: 0, doing: 'starting' });
  return {
    show: ({ rows, ...payload }) => bar.update(rows, payload),
    stop: () => bar.stop(),
  };
}

/** A line at every quarter: enough to see in a log that it went on. */
function linesOn(stream: NodeJS.WritableStream, totals: ProgressTotals): Progress {
  let quarter = 0;
  return {
    show({ rows, commits, kills }) {
      const reached = Math.floor((4 * rows) / totals.rows);
      if (reached <= quarter) return;
      quarter = reached;
      stream.write(`${rows} of ${totals.rows} rows, ${commits} commits, ${kills} of ${totals.kills} kills\n`);
    },
    stop: () => undefined,
  };
}
