/** The harness of the conformance suite: a folder for each test, in a store that loses what is said to it. */
import type { SinkConnector } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import {
  conformanceKey,
  conformanceSchema,
  type ChildConnector,
  type CommitFaults,
  type ConformanceRow,
  type Destination,
  type History,
  type Outage,
} from '@eos/testkit';
import type { FileFormat } from './files/settings.js';
import { s3Sink } from './index.js';
import type { Mode, StoreOptions, Visibility } from './options.js';
import { readCommittedRows, readListedRows } from './reading.testing.js';

export const CHILD = new URL('../testing/conformance-child.mjs', import.meta.url);

export interface Variant {
  readonly mode: Mode;
  readonly visibility: Visibility;
  readonly format: FileFormat;
}

/** A writer notices within a quarter of a second that its log went back under it. */
export const NOTICED_MS = 300;

/** The ways that the sink can be used in: the first three differ in what they promise, the others in what files hold. */
export const APPEND: Variant = { mode: 'append', visibility: 'log', format: 'ndjson' };
export const UPSERT: Variant = { mode: 'upsert', visibility: 'log', format: 'ndjson' };
export const LISTED: Variant = { mode: 'append', visibility: 'listing', format: 'ndjson' };
export const CSV: Variant = { ...APPEND, format: 'csv' };
export const PARQUET: Variant = { ...UPSERT, format: 'parquet' };

export const variantName = ({ mode, visibility, format }: Variant): string =>
  [
    mode,
    ...(format === 'ndjson' ? [] : [format]),
    ...(visibility === 'listing' ? ['visible by listing'] : []),
  ].join(', ');

/** A place of a test's own, and the means to trouble the way to it. */
export interface Laboratory {
  /** For both routes, with the prefix. */
  readonly options: Readonly<Record<'direct' | 'faulty', StoreOptions>>;
  /** By which the harness reads what is there. */
  readonly store: ObjectStore;
  /** Where objects lie as files, below their keys: other programs can read them there. */
  readonly directory?: string;
  readonly prefix: string;
  readonly faults: CommitFaults;
  readonly outage: Outage;
  readonly history: History;
  readonly child: ChildConnector['options'];
  close(): Promise<void>;
}

export function destinationIn(laboratory: Laboratory, variant: Variant): Destination {
  const { options, store, prefix, directory, faults, outage, history, child } = laboratory;
  return {
    connector: (route) => connectorOf(options[route], variant),
    rows: () =>
      variant.visibility === 'listing'
        ? readListedRows(store, prefix)
        : readCommittedRows({ store, prefix, directory, ...variant }),
    faults,
    outage,
    history,
    // The log, with all positions, lies in the folder of the data: who drops the one drops the other.
    recreate: undefined,
    child: { module: CHILD, options: { store: child, ...variant } },
    close: () => laboratory.close(),
  };
}

export function connectorOf(
  place: StoreOptions,
  { mode, visibility, format }: Variant,
): SinkConnector<ConformanceRow> {
  const key = mode === 'upsert' ? { key: conformanceKey } : {};
  return s3Sink({ ...place, mode, visibility, format, ...key, schema: conformanceSchema });
}
