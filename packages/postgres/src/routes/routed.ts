/**
 * Rows of several tables in one transaction. They are kept by table, and sent as one message of the simple protocol that holds a COPY
 * for each: so a transaction over a hundred tables costs no more round trips than one over a single table.
 */
import { EosError, type ChangeBatch } from '@eos/core';
import { BEGIN } from '../law/begin.js';
import type { Link } from '../connection/connection.js';
import { startCopy, type CopiesIn } from '../copy/copy-stream.js';
import { mapError } from '../connection/error-map.js';
import { rowsByTable, type Router } from './routed-batch.js';
import { CHECK } from '../modes/staging.js';
import type { KeptRows, TablePlan, TableRows } from '../reader/table-rows.js';
import type { Writer, Writers } from '../modes/writer.js';

/** Encoded rows that are kept before they are sent; as much again may be on its way. Bounds memory with a batch. */
const KEPT_BYTES = 4_194_304;

/** Statements of a set-up that are carried out together: each holds locks that the server has a limit for. */
const SET_UP_TOGETHER = 20;

export function routedWriters<Row>(router: Router<Row>, plans: readonly TablePlan[]): Writers<Row> {
  return {
    async prepare(link) {
      const statements = plans.flatMap(({ setUp }) => (setUp === undefined ? [] : [setUp]));
      for (let at = 0; at < statements.length; at += SET_UP_TOGETHER)
        await link.run(statements.slice(at, at + SET_UP_TOGETHER).join('; '));
    },
    begin: (link, after, opening) => new RoutedWriter(link, router, plans, after, opening?.statements),
    ...(plans.every(({ setUp }) => setUp === undefined) ? { keyOf: null } : {}),
    again: plans.map(({ again = '' }) => again).join(''),
  };
}

/** One COPY of a message. */
interface Part {
  readonly plan: TablePlan;
  readonly kept: KeptRows;
}

class RoutedWriter<Row> implements Writer<Row> {
  readonly #rows: (TableRows | undefined)[] = [];
  #bytes = 0;
  #isBegun = false;
  #isAbandoned = false;
  #copy: CopiesIn | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly link: Link,
    private readonly router: Router<Row>,
    private readonly plans: readonly TablePlan[],
    private readonly after: Promise<void> | undefined,
    private readonly opening = BEGIN,
  ) {}

  async write(batch: ChangeBatch<Row>): Promise<void> {
    for (const { table, rows } of rowsByTable(batch, this.router)) {
      const kept = (this.#rows[table] ??= this.plans[table]?.rows());
      if (kept === undefined) continue;
      const before = kept.bytes;
      await kept.add(rows);
      this.#bytes += kept.bytes - before;
    }
    if (this.#bytes < KEPT_BYTES) return;
    if (this.plans.some(({ mayWait }) => mayWait)) await this.after;
    await this.#send([]);
  }

  async prepare(): Promise<void> {
    const merges = this.#rows.flatMap((rows) => rows?.merge() ?? []);
    await this.#send([...merges, CHECK]);
    await this.#sending;
  }

  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    await this.#copy?.abandon();
    await this.#sending.catch(() => undefined);
  }

  /** Sends what is kept, and `following` behind it. Resolves when the server has most of it; the next call waits for the rest. */
  async #send(following: readonly string[]): Promise<void> {
    await this.#sending;
    if (this.#isAbandoned) throw new EosError('EOS_ABORTED', 'the transaction was rolled back');
    const parts = this.#takeParts();
    const begin = this.#isBegun ? [] : this.opening.split('; ');
    this.#isBegun = true;
    const text = [...begin, ...parts.map(({ plan }) => plan.copy), ...following].join('; ');
    if (parts.length === 0) {
      if (text !== '') await this.link.run(text);
      return;
    }
    const copy = (this.#copy = startCopy(this.link, text));
    const explain = (error: unknown): never => {
      const part = parts[copy.completed - begin.length];
      throw part === undefined ? mapError(error) : part.kept.sent.explain(error, part.plan.copiedTo);
    };
    const last = await sendParts(copy, parts).catch(explain);
    this.#sending = copy.finish(last).catch(explain);
    // It is told by the next call.
    this.#sending.catch(() => undefined);
  }

  #takeParts(): Part[] {
    this.#bytes = 0;
    return this.plans.flatMap((plan, table) => {
      const kept = this.#rows[table]?.take();
      return kept === undefined ? [] : [{ plan, kept }];
    });
  }
}

/** Sends all but the last block, which ends the last COPY. */
async function sendParts(copy: CopiesIn, parts: readonly Part[]): Promise<Buffer | undefined> {
  let last: Buffer | undefined;
  for (const [index, { kept }] of parts.entries()) {
    if (index > 0) await copy.next(last);
    last = undefined;
    for (const block of kept.blocks) {
      if (last !== undefined) await copy.send(last);
      last = block;
    }
  }
  return last;
}
