/** delta-rs from Python, as its users write and read: dicts to an Arrow table to `write_deltalake`. Rows are made before the clock runs. */
import type { Python } from '@eos/services';

const ROWS = `
import datetime, random, time
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
SCHEMA = pa.schema([('id', pa.int64()), ('name', pa.string()), ('amount', pa.float64()), ('quantity', pa.int32()),
    ('happened_at', pa.timestamp('us', 'UTC')), ('note', pa.string())])
SYLLABLES = ['ka', 'ro', 'mi', 'ten', 'sul', 'vor', 'ela', 'qui', 'nor', 'zed', 'pla', 'ust']
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
def make(count):
    rng = random.Random(1)
    word = lambda size: ''.join(rng.choice(SYLLABLES) for _ in range(size))
    return [{ 'id': id, 'name': word(7), 'amount': rng.randrange(10**7) / 100, 'quantity': rng.randrange(100_000),
        'happened_at': START + datetime.timedelta(seconds=id), 'note': None if rng.random() < 0.3 else word(12) }
        for id in range(count)]
def append(folder, rows, size):
    taken = []
    for start in range(0, len(rows), size):
        begun = time.perf_counter()
        write_deltalake(folder, pa.Table.from_pylist(rows[start:start + size], schema=SCHEMA), mode='append')
        taken.append((time.perf_counter() - begun) * 1000)
    return taken
`;

const LIMIT_MS = 1_800_000;

/** Milliseconds of each commit. */
export async function appendWithDeltaRs(
  python: Python,
  folder: string,
  rows: number,
  rowsPerCommit: number,
): Promise<readonly number[]> {
  const script = `${ROWS}
def main(input): return append(input['folder'], make(input['rows']), input['size'])`;
  const input = { folder, rows, size: rowsPerCommit };
  return numbersOf(await python.run(script, { input, timeoutMilliseconds: LIMIT_MS }));
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
