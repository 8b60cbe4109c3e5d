/** What is printed in the end. */
import { isExact, sumOf, type TableCheck } from './check.js';
import { PLACES, type Place, type PlannedKill } from './kill-plan.js';
import { TABLES, type Table } from './tables.js';
import { textTable } from './text-table.js';

export interface Result {
  readonly checks: Readonly<Record<Table, TableCheck>>;
  /** Where each table stands: `commits` as the destination counts them, `offset` in bytes of the source, `behind` in source rows. */
  readonly positions: Readonly<
    Record<Table, { readonly commits?: number; readonly offset: number; readonly rowsLeft: number }>
  >;
  readonly kills: readonly PlannedKill[];
  /** Commits that landed although their writer died before it knew; undefined where nobody can tell. */
  readonly landedUnseen: number | undefined;
  /** Whatever else is not as it must be. */
  readonly contradictions: readonly string[];
}

/** Whether every row is there once, and everything else is as it must be. */
export function isProved({ checks, positions, contradictions }: Result): boolean {
  const isAtTheEnd = TABLES.every((table) => positions[table].rowsLeft === 0);
  return TABLES.every((table) => isExact(checks[table])) && isAtTheEnd && contradictions.length === 0;
}

export function report(result: Result): string {
  const notes = result.contradictions.map((text) => `Contradiction: ${text}\n`).join('');
  return `\n${tablesText(result)}\n${killsText(result)}\n${unseenText(result)}${notes}`;
}

function tablesText({ checks, positions }: Result): string {
  return textTable([
    ['table', 'expected', 'found', 'lost', 'duplicated', 'wrong', 'commits', 'position'],
    ...TABLES.map((table) => {
      const { expected, found, lost, duplicated, wrong } = checks[table];
      const { commits, offset } = positions[table];
      return [table, expected, found, lost, duplicated, wrong, commits ?? '–', `byte ${offset}`];
    }),
  ]);
}

function killsText({ kills }: Result): string {
  const places = Object.keys(PLACES) as Place[]; // the keys of a constant record
  const count = (place: Place, table?: Table) =>
    kills.filter((kill) => kill.place === place && (table === undefined || kill.table === table)).length;
  return textTable([
    ['killed (SIGKILL)', ...TABLES, 'all'],
    ...places.map((place) => [PLACES[place], ...TABLES.map((table) => count(place, table)), count(place)]),
  ]);
}

function unseenText({ landedUnseen }: Result): string {
  if (landedUnseen === undefined) return '';
  return `Commits that landed although their writer died before it knew: ${landedUnseen}\n`;
}

/** The last line: what the run is about. */
export function verdict(result: Result): string {
  const { expected, found, lost, duplicated, wrong } = sumOf(TABLES.map((table) => result.checks[table]));
  const kills = `${result.kills.length} kills`;
  if (isProved(result))
    return `exactly once: ${expected} of ${expected} rows, 0 lost, 0 duplicated, ${kills}`;
  const counts = `found ${found} of ${expected} rows, ${lost} lost, ${duplicated} duplicated, ${wrong} wrong`;
  return `NOT exactly once: ${counts}, ${kills}`;
}
