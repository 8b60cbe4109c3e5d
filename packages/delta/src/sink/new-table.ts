/** The first commit of a table that is made. */
import { randomUUID } from 'node:crypto';
import { EosError } from '@eos/core';
import type { Metadata, Protocol } from '../log/actions.js';
import type { Settings } from '../options.js';
import { schemaText } from '../schema/delta-schema.js';
import { deltaSchemaOf } from '../schema/eos-columns.js';

/**
 * Protocol and metadata of the table that the options describe. Versions are the lowest that hold it, so that every reader and writer knows
 * them: (1, 2), and (3, 7) with deletion vectors.
 * @throws EOS_SCHEMA where nothing is to be made
 */
export function newTable(
  settings: Settings,
  mustExist: boolean,
  now: number,
): { readonly protocol: Protocol; readonly metadata: Metadata } {
  const { schema, create, partitionBy = [], properties, location } = settings;
  const { description } = location;
  if (mustExist || !create || schema === undefined) {
    const message = `there is no Delta table in ${description}, and none is to be made`;
    throw new EosError('EOS_SCHEMA', message, { details: { table: description } });
  }
  return {
    protocol: protocolFor(properties),
    metadata: {
      id: randomUUID(),
      provider: 'parquet',
      formatOptions: {},
      schemaString: schemaText(deltaSchemaOf(schema)),
      partitionColumns: partitionBy,
      createdTime: now,
      configuration: properties,
    },
  };
}

function protocolFor(properties: Readonly<Record<string, string>>): Protocol {
  const isOn = (name: string) => properties[name]?.toLowerCase() === 'true';
  const hasFeed = isOn('delta.enableChangeDataFeed');
  if (!isOn('delta.enableDeletionVectors')) return { minReaderVersion: 1, minWriterVersion: hasFeed ? 4 : 2 };
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['deletionVectors'],
    writerFeatures: ['deletionVectors', 'appendOnly', 'invariants', ...(hasFeed ? ['changeDataFeed'] : [])],
  };
}
