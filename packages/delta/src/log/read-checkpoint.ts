/** Classic checkpoints, in one file or several, read by column: who needs no files does not read them. */
import type { ObjectStore } from '@eos/object-store';
import { openParquet, type ParquetFileReader } from '@eos/parquet';
import type {
  AddFile,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
  Transaction,
  Version,
} from './actions.js';
import { isFields, malformed, type Fields } from './fields.js';
import { addFileOf, domainOf, metadataOf, protocolOf, removeFileOf, transactionOf } from './parse-actions.js';
import type { CheckpointState } from './table-state.js';

/** A checkpoint whose files are all there. */
export interface Checkpoint {
  readonly version: Version;
  /** Its parts, in order. */
  readonly files: readonly { readonly key: string; readonly bytes: number }[];
}

/**
 * What a checkpoint says, without files.
 * @throws EOS_FORMAT, or EOS_SOURCE_FORMAT where a file is damaged
 */
export async function readCheckpointState(
  store: ObjectStore,
  checkpoint: Checkpoint,
): Promise<CheckpointState> {
  const what = `checkpoint ${checkpoint.version}`;
  const transactions: Transaction[] = [];
  const domains: DomainMetadata[] = [];
  let protocol: Protocol | undefined;
  let metadata: Metadata | undefined;
  for await (const [kind, fields] of actions(store, checkpoint, STATE_COLUMNS)) {
    if (kind === 'txn') transactions.push(transactionOf(fields, what));
    else if (kind === 'protocol') protocol = protocolOf(fields, what);
    else if (kind === 'metaData') metadata = metadataOf(fields, what);
    else domains.push(domainOf(fields, what));
  }
  if (protocol === undefined || metadata === undefined)
    throw malformed(`${what} has no ${protocol === undefined ? 'protocol' : 'metaData'}`);
  const live = domains.filter(({ removed }) => !removed);
  return { version: checkpoint.version, protocol, metadata, transactions, domains: live };
}

const STATE_COLUMNS = ['txn', 'protocol', 'metaData', 'domainMetadata'] as const;

/** The files of a checkpoint. */
export async function readCheckpointFiles(
  store: ObjectStore,
  checkpoint: Checkpoint,
): Promise<{ readonly adds: readonly AddFile[]; readonly removes: readonly RemoveFile[] }> {
  const what = `checkpoint ${checkpoint.version}`;
  const adds: AddFile[] = [];
  const removes: RemoveFile[] = [];
  for await (const [kind, fields] of actions(store, checkpoint, ['add', 'remove'])) {
    if (kind === 'add') adds.push(addFileOf(fields, what));
    else removes.push(removeFileOf(fields, what));
  }
  return { adds, removes };
}

/** What every action of a kind has: where it is null, there is no action. */
const ALWAYS_THERE = {
  txn: 'appId',
  add: 'path',
  remove: 'path',
  metaData: 'id',
  protocol: 'minReaderVersion',
  domainMetadata: 'domain',
} as const;

type ActionKind = keyof typeof ALWAYS_THERE;

/** The actions of some kinds, those of a kind in the order of the file. */
async function* actions<Kind extends ActionKind>(
  store: ObjectStore,
  { version, files }: Checkpoint,
  kinds: readonly Kind[],
): AsyncGenerator<readonly [Kind, Fields]> {
  for (const { key, bytes } of files) {
    const file = await openFile(store, key, bytes);
    const names = new Set(file.fields.map(({ name }) => name));
    if (names.has('sidecar') && (await hasSidecars(file)))
      throw malformed(`checkpoint ${version} has its files elsewhere (v2Checkpoint)`);
    for (const kind of kinds.filter((wanted) => names.has(wanted))) {
      // Row groups that have none of them are not read: who wants no files reads a small part of a large checkpoint.
      for (const rowGroup of await file.rowGroupsWith([{ column: `${kind}.${ALWAYS_THERE[kind]}` }])) {
        const values = (await file.columns(rowGroup, [kind])).get(kind) ?? [];
        for (let row = 0; row < values.length; row++) {
          const value = values[row];
          if (value === null || value === undefined) continue;
          const fields = plain(value);
          if (isFields(fields)) yield [kind, fields];
        }
      }
    }
  }
}

/** Some writers give every checkpoint the column: what counts is whether it names a file. */
async function hasSidecars(file: ParquetFileReader): Promise<boolean> {
  for (const rowGroup of await file.rowGroupsWith([{ column: 'sidecar.path' }])) {
    const values = (await file.columns(rowGroup, ['sidecar'])).get('sidecar') ?? [];
    if (Array.from(values).some((value) => value !== null && value !== undefined)) return true;
  }
  return false;
}

async function openFile(store: ObjectStore, key: string, size: number): Promise<ParquetFileReader> {
  return await openParquet({
    size,
    read: async (start, end) => {
      const bytes = await store.read(key, { start, end });
      if (bytes === undefined) throw malformed(`${key} is gone`);
      return bytes;
    },
  });
}

/** A map of a Parquet file is a Map: here all keys are texts. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (!isFields(value)) return value;
  const fields: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value))
    fields[name] = typeof member === 'object' ? plain(member) : member;
  return fields;
}
