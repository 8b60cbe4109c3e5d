/** Actions as the lines of a commit file. */
import type {
  AddFile,
  ChangeFile,
  CommitActions,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
  Transaction,
} from './actions.js';

/** The body of a commit file. `commitInfo` comes first: a reader who looks for it need not read on. */
export function commitBody(actions: CommitActions): Uint8Array {
  const { info, protocol, metadata, transactions, domains, removes, adds, changeFiles } = actions;
  const lines = [
    ...(info === undefined ? [] : [line('commitInfo', info)]),
    ...(protocol === undefined ? [] : [protocolLine(protocol)]),
    ...(metadata === undefined ? [] : [metadataLine(metadata)]),
    ...transactions.map(transactionLine),
    ...domains.map(domainLine),
    ...removes.map(removeLine),
    ...adds.map(addLine),
    ...changeFiles.map(changeFileLine),
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
}

function protocolLine(protocol: Protocol): string {
  return line('protocol', { ...protocol });
}

function metadataLine(metadata: Metadata): string {
  const { id, name, description, provider, formatOptions, schemaString, ...others } = metadata;
  const { partitionColumns, createdTime, configuration } = others;
  const format = { provider, options: formatOptions };
  return line('metaData', {
    ...{ id, name, description, format, schemaString, partitionColumns, createdTime, configuration },
  });
}

function transactionLine({ appId, version, lastUpdated }: Transaction): string {
  return line('txn', { appId, version, lastUpdated });
}

function domainLine(domain: DomainMetadata): string {
  return line('domainMetadata', { ...domain });
}

function addLine(add: AddFile): string {
  return line('add', { ...add });
}

function removeLine(remove: RemoveFile): string {
  return line('remove', { ...remove });
}

function changeFileLine(file: ChangeFile): string {
  return line('cdc', { ...file, dataChange: false });
}

function line(kind: string, members: object): string {
  return `{"${kind}":${jsonText(members)}}`;
}

/** JSON in which a bigint is a number of all its digits. Members that are undefined are left out. */
function jsonText(value: object): string {
  const texts: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    const found: unknown = member;
    if (found === undefined) continue;
    texts.push(
      `${JSON.stringify(name)}:${typeof found === 'bigint' ? String(found) : JSON.stringify(found)}`,
    );
  }
  return `{${texts.join(',')}}`;
}
