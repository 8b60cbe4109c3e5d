/** The tables of a route, found or made, and how rows get there. */
import { EosError, type SinkContext } from '@eos/core';
import { planColumns } from '../table/columns.js';
import type { Link } from '../connection/connection.js';
import { withoutMissing } from '../table/evolution.js';
import type { Settings } from '../options.js';
import type { RouteSettings } from './route-options.js';
import { routedWriters } from './routed.js';
import type { LockRetry } from '../law/lock-retry.js';
import { STAGING } from '../modes/staging.js';
import { appendPlan, upsertPlan, type TablePlan } from '../reader/table-rows.js';
import { findTable, openTarget, type Target } from '../law/target.js';
import { targetOfTables } from '../law/targets.js';
import { planChanges } from '../modes/upsert.js';
import type { Table } from '../table/table.js';
import type { Writers } from '../modes/writer.js';

/** A destination that was found fit to write to. */
export interface Destination<Row> {
  /** Its identity, and what to call it in a message. */
  readonly target: string;
  readonly object: string;
  readonly tables: readonly Table[];
  readonly writers: Writers<Row>;
}

/** Keys that are remembered in a transaction, over all tables. */
const REMEMBERED_KEYS = 100_000;

/** @throws EOS_CONFIG where two routes lead to one table, and what opening each of them throws */
export async function openRouted<Row>(
  link: Link,
  { by, tables }: RouteSettings,
  context: SinkContext,
  retry: LockRetry,
): Promise<Destination<Row>> {
  const targets = new Map<string, Target>();
  for (const [name, settings] of tables) {
    const target = await openTarget(link, settings, context, retry, name);
    targets.set(name, target);
  }
  checkDistinct(targets);
  const names = [...tables.keys()];
  const plans = names.flatMap((name, place) => {
    const [settings, target] = [tables.get(name), targets.get(name)];
    return settings === undefined || target === undefined
      ? []
      : [planTable(settings, target.table, place, tables.size)];
  });
  return {
    target: targetOfTables(new Map([...targets].map(([name, { id }]) => [name, id]))),
    object: `group of ${tables.size} tables`,
    tables: [...targets.values()].map(({ table }) => table),
    writers: routedWriters<Row>({ by, places: new Map(names.map((name, place) => [name, place])) }, plans),
  };
}

function planTable(settings: Settings, table: Table, place: number, count: number): TablePlan {
  const columns = planColumns(settings, table);
  if (settings.mode === 'append') return appendPlan(table, columns);
  const changes = planChanges(table, columns, settings.key, `${STAGING}_${place}`);
  return upsertPlan(table, changes, Math.ceil(REMEMBERED_KEYS / count));
}

/** Whatever is wrong with the tables that are there. Only reads. */
export async function checkRouted(
  link: Link,
  { tables }: RouteSettings,
  context: SinkContext,
): Promise<void> {
  for (const [name, settings] of tables) {
    const table = await findTable(link, settings, context, name);
    if (table !== undefined) planTable(withoutMissing(settings, table), table, 0, tables.size);
  }
}

/** The order of rows within a table is kept only where one route leads to it. */
function checkDistinct(targets: ReadonlyMap<string, Target>): void {
  const routes = new Map<string, string>();
  for (const [name, { table }] of targets) {
    const other = routes.get(table.oid);
    if (other !== undefined) {
      const message = `route.tables: ${JSON.stringify(other)} and ${JSON.stringify(name)} are both ${table.sql}: let route.by give them one name`;
      throw new EosError('EOS_CONFIG', message, { details: { option: 'route.tables' } });
    }
    routes.set(table.oid, name);
  }
}
