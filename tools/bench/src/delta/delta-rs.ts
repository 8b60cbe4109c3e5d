/** delta-rs from Python, as its users write and read: dicts to an Arrow table to `write_deltalake`. Rows are made before the clock runs. */
import type { Python } from '@eos/services';
import type { Choice } from './changed-rows.js';

const ROWS = `
import datetime, random, time
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
SCHEMA = pa.schema([('id', pa.int64()), ('name', pa.string()), ('amount', pa.float64()), ('quantity', pa.int32()),
    ('happened_at', pa.timestamp('us', 'UTC')), ('note', pa.string())])
SYLLABLES = ['ka', 'ro', 'mi', 'ten', 'sul', 'vor', 'ela', 'qui', 'nor', 'zed', 'pla', 'ust']
# More than a file has: so a text comes once in it.
POOL = 250_000
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
def make(count):
    rng = random.Random(1)
    word = lambda size: ''.join(rng.choice(SYLLABLES) for _ in range(size))
    rows = [{ 'id': id, 'name': word(7), 'amount': rng.randrange(10**7) / 100, 'quantity': rng.randrange(100_000),
        'happened_at': START + datetime.timedelta(seconds=id), 'note': None if rng.random() < 0.3 else word(12) }
        for id in range(min(count, POOL))]
    return [row for _ in range(-(-count // POOL)) for row in rows][:count]
def append(folder, rows, size):
    taken = []
    converting = 0
    for start in range(0, len(rows), size):
        begun = time.perf_counter()
        table = pa.Table.from_pylist(rows[start:start + size], schema=SCHEMA)
        converting += (time.perf_counter() - begun) * 1000
        write_deltalake(folder, table, mode='append')
        taken.append((time.perf_counter() - begun) * 1000)
    return { 'taken': taken, 'converting': converting }
`;

export interface AppendedByDeltaRs {
  /** Milliseconds of each commit, from dicts. */
  readonly taken: readonly number[];
  /** Milliseconds of all together that went into Arrow tables. */
  readonly converting: number;
}

const LIMIT_MS = 1_800_000;

export async function appendWithDeltaRs(
  python: Python,
  folder: string,
  rows: number,
  rowsPerCommit: number,
): Promise<AppendedByDeltaRs> {
  const script = `${ROWS}
def main(input): return append(input['folder'], make(input['rows']), input['size'])`;
  const input = { folder, rows, size: rowsPerCommit };
  const answer = await python.run(script, { input, timeoutMilliseconds: LIMIT_MS });
  // What the script returns.
  const { taken, converting } = answer as AppendedByDeltaRs;
  return { taken: numbersOf(taken), converting };
}

/** Milliseconds of a merge from dicts, on a table that is open. */
export async function mergeWithDeltaRs(
  python: Python,
  folder: string,
  rows: number,
  choice: Choice,
): Promise<number> {
  const script = `${ROWS}
def main(input):
    count = input['rows'] // 100
    spread = input['choice'] == 'spread'
    ids = [1 + at * 100 + (at * 37) % 100 if spread else 1 + input['rows'] - count + at for at in range(count)]
    rows = [{ **row, 'id': id, 'note': 'changed' } for row, id in zip(make(count), ids)]
    table = DeltaTable(input['folder'])
    begun = time.perf_counter()
    source = pa.Table.from_pylist(rows, schema=SCHEMA)
    table.merge(source=source, predicate='t.id = s.id', source_alias='s', target_alias='t') \\
        .when_matched_update_all().when_not_matched_insert_all().execute()
    return [(time.perf_counter() - begun) * 1000]`;
  const input = { folder, rows, choice };
  const [taken = NaN] = numbersOf(await python.run(script, { input, timeoutMilliseconds: LIMIT_MS }));
  return taken;
}

/** Milliseconds of each opening of a table, after one that does not count. */
export async function openWithDeltaRs(
  python: Python,
  folder: string,
  runs: number,
): Promise<readonly number[]> {
  const script = `
import time
from deltalake import DeltaTable
def main(input):
    taken = []
    for run in range(input['runs'] + 1):
        begun = time.perf_counter()
        DeltaTable(input['folder'])
        taken.append((time.perf_counter() - begun) * 1000)
    return taken[1:]`;
  return numbersOf(await python.run(script, { input: { folder, runs }, timeoutMilliseconds: LIMIT_MS }));
}

function numbersOf(answer: unknown): readonly number[] {
  if (Array.isArray(answer) && answer.every((value) => typeof value === 'number')) return answer;
  throw new Error(`Python answered ${JSON.stringify(answer)}`);
}
