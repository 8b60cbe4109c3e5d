/** The transactions of a sink, by what the transaction coordinators know of them. */
import { EosError, type OpenTransaction, type OpenTransactions } from '@eos/core';
import type { KafkaClient, TransactionDescription } from '../client/client.js';
import { openClient } from '../client/connect.js';
import { eosError } from '../client/eos-error.js';
import { positionKey } from '../positions/position-record.js';
import type { SinkPlace } from './options.js';

/** Writing what was decided takes milliseconds; the broker looks for transactions that have timed out every ten seconds. */
const ENDING_MS = 15_000;

/** @throws EOS_UNAVAILABLE, EOS_PERMISSION */
export async function openTransactions<Row>(place: SinkPlace<Row>): Promise<OpenTransactions> {
  const { settings, context } = place;
  const client = await openClient(settings.connection, settings.timeoutMs);
  const prefix = positionKey(context, '');
  return {
    list: () => mapped(() => list(client, prefix)),
    abort: (id) => mapped(() => abort(client, place, prefix, id)),
    close: () => client.close(),
  };
}

async function list(client: KafkaClient, prefix: string): Promise<readonly OpenTransaction[]> {
  const open = await client.admin.openTransactions();
  const ids = open.map(({ transactionalId }) => transactionalId).filter((id) => id.startsWith(prefix));
  const described = await client.admin.transactions(ids);
  const now = Date.now();
  return [...described.values()]
    .sort((left, right) => left.startedAt - right.startedAt)
    .map((transaction) => shown(transaction, prefix, now));
}

function shown(
  { transactionalId, state, startedAt, timeoutMs, partitions }: TransactionDescription,
  prefix: string,
  now: number,
): OpenTransaction {
  const age = startedAt < 0 ? 0 : now - startedAt;
  return {
    id: transactionalId,
    partition: transactionalId.slice(prefix.length),
    state,
    ...(startedAt < 0 ? {} : { startedAt: new Date(startedAt) }),
    timeoutMs,
    touches: partitions.flatMap(({ topic, partitions: numbers }) =>
      numbers.map((number) => `${topic}/${number}`),
    ),
    isLingering: age > timeoutMs + ENDING_MS || (state.startsWith('Prepare') && age > ENDING_MS),
  };
}

async function abort<Row>(
  client: KafkaClient,
  { settings, context }: SinkPlace<Row>,
  prefix: string,
  transactionalId: string,
): Promise<void> {
  if (!transactionalId.startsWith(prefix)) {
    const message = `${transactionalId} is no transaction of pipeline ${context.pipeline} and sink ${context.sink}: theirs begin with ${prefix}`;
    throw new EosError('EOS_CONFIG', message, { details: { option: 'id' } });
  }
  const { transactionTimeoutMs, timeoutMs } = settings;
  const producer = await client.initProducer({ transactionalId, transactionTimeoutMs, timeoutMs });
  producer.close();
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw eosError(error);
  }
}
