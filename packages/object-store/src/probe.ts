import { randomUUID } from 'node:crypto';
import { EosError } from '@eos/core';
import type { ObjectStore, PutCondition, PutResult } from './object-store.js';

export interface ProbeOptions {
  /** Where the probe writes, and deletes after itself. Default `_eos/probe/`. */
  readonly prefix?: string;
  /** How many write at the same time, 2 to 64. Default 4. */
  readonly racers?: number;
  /**
   * Size of the bodies that race, 0 to 1 MiB. Default 256 KiB. A store that compares first and writes afterwards takes the longer in between,
   * the larger they are: of races of 4 with 256 KiB, Adobe S3Mock lets several win in three of four; of races of 16 with a few bytes, in one of seven.
   */
  readonly bytes?: number;
  /** How many races of each kind, 1 to 100. Default 8. */
  readonly rounds?: number;
}

/**
 * Looks whether a store compares where it says that it does: puts and completions with `ifAbsent`, and puts with `ifMatch`, one after
 * the other and racing. Some stores ignore conditions, others let several of those through that come at once. A store that fails is
 * unsafe; one that passes has shown no fault *in this probe*: that is evidence, not proof.
 *
 * Costs about `rounds × (2 × racers + 22)` requests, most of them at once, and sends `rounds × 2 × racers` bodies: by default 16 MiB.
 * @throws EOS_STORE_UNSAFE with what the store did; EOS_CONFIG for an option out of range; what the store throws
 */
export async function probeObjectStore(store: ObjectStore, options: ProbeOptions = {}): Promise<void> {
  const { prefix = '_eos/probe/', racers = 4, bytes = 256 * 1024, rounds = 8 } = options;
  checkInteger('racers', racers, 2, 64);
  checkInteger('rounds', rounds, 1, 100);
  checkInteger('bytes', bytes, 0, 1024 * 1024);
  // Not the keys of an earlier probe, or of one that runs at this moment.
  const folder = `${prefix}${randomUUID()}/`;
  const padding = Buffer.alloc(bytes);
  const probe: Probe = { store, racers, padding, used: new Set(), keyOf: (name) => folder + name };
  try {
    await probeAlone(probe);
    for (let round = 0; round < rounds; round++) {
      const races = [probeAbsent(probe, round), probeMatch(probe, round), probeUploads(probe, round)];
      const lost = (await Promise.allSettled(races)).find(({ status }) => status === 'rejected');
      if (lost?.status === 'rejected') throw lost.reason;
    }
  } finally {
    // Best effort: a store that failed the probe shall say so, not that it cannot delete.
    await store.delete([...probe.used]).catch(() => undefined);
  }
}

interface Probe {
  readonly store: ObjectStore;
  readonly racers: number;
  /** Behind each body that races. */
  readonly padding: Uint8Array;
  readonly used: Set<string>;
  readonly keyOf: (name: string) => string;
}

/** One write after the other: most unsafe stores fail here already. */
async function probeAlone(probe: Probe): Promise<void> {
  const key = used(probe, 'alone');
  const first = await put(probe, key, 'first', { ifAbsent: true });
  if (!first.stored) throw unsafe(probe, 'did not store under a key that has no object');
  if ((await put(probe, key, 'second', { ifAbsent: true })).stored)
    throw unsafe(probe, 'ignores If-None-Match: a second put if absent was stored');
  const second = await put(probe, key, 'second', { ifMatch: first.etag });
  if (!second.stored) throw unsafe(probe, 'did not store over the object that If-Match names');
  if ((await put(probe, key, 'third', { ifMatch: first.etag })).stored)
    throw unsafe(probe, 'ignores If-Match: a put over an object that was replaced was stored');
  const none = used(probe, 'none');
  if ((await put(probe, none, 'none', { ifMatch: first.etag })).stored)
    throw unsafe(probe, 'ignores If-Match: a put over no object was stored');
  const found = await probe.store.get(key);
  if (found === undefined || !textOf(found.body).startsWith('second '))
    throw unsafe(probe, 'gives another body than the one that it stored last');
}

async function probeAbsent(probe: Probe, round: number): Promise<void> {
  const key = used(probe, `absent-${round}`);
  const write = (label: string) => put(probe, key, label, { ifAbsent: true }, probe.padding);
  await race(probe, key, 'put if absent', write);
}

async function probeMatch(probe: Probe, round: number): Promise<void> {
  const key = used(probe, `match-${round}`);
  const first = await put(probe, key, 'first', undefined);
  if (!first.stored) throw unsafe(probe, 'refused a put without a condition');
  const write = (label: string) => put(probe, key, label, { ifMatch: first.etag }, probe.padding);
  await race(probe, key, 'put over the same object', write);
}

async function probeUploads(probe: Probe, round: number): Promise<void> {
  const { store } = probe;
  const key = used(probe, `upload-${round}`);
  const sealed = await Promise.all(
    labels(Math.min(4, probe.racers)).map(async (label) => {
      const upload = await store.createUpload(key);
      await upload.write(bodyOf(label));
      return [label, await upload.seal()] as const;
    }),
  );
  const byLabel = new Map(sealed);
  const write = async (label: string): Promise<PutResult> => {
    const upload = byLabel.get(label);
    return upload === undefined
      ? { stored: false }
      : await store.complete(upload, { condition: { ifAbsent: true } });
  };
  try {
    await race({ ...probe, racers: sealed.length }, key, 'completion if absent', write);
  } finally {
    await store.abortUploads(sealed.map(([, upload]) => upload)).catch(() => undefined);
  }
}

/** All at once: exactly one is stored, and it is the one that is there. One that gives up under the load proves nothing. */
async function race(
  probe: Probe,
  key: string,
  what: string,
  write: (label: string) => Promise<PutResult>,
): Promise<void> {
  const outcomes = await Promise.allSettled(
    labels(probe.racers).map(async (label) => ({ label, ...(await write(label)) })),
  );
  const winners = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' && outcome.value.stored ? [outcome.value.label] : [],
  );
  if (winners.length > 1)
    throw unsafe(probe, `let ${winners.length} of ${probe.racers} racing writers win: ${what}`);
  const failed = outcomes.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  if (winners.length === 0) throw unsafe(probe, `let none of ${probe.racers} racing writers win: ${what}`);
  const found = await probe.store.get(key);
  if (found === undefined || !textOf(found.body).startsWith(`${winners[0] ?? ''} `))
    throw unsafe(probe, `holds another body than that of the writer that won: ${what}`);
}

function used(probe: Probe, name: string): string {
  const key = probe.keyOf(name);
  probe.used.add(key);
  return key;
}

function labels(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `writer-${index}`);
}

async function put(
  { store }: Probe,
  key: string,
  label: string,
  condition: PutCondition | undefined,
  padding?: Uint8Array,
): Promise<PutResult> {
  return await store.put(key, bodyOf(label, padding), condition === undefined ? {} : { condition });
}

/** No two bodies of a probe are equal, so no two ETags are. */
function bodyOf(label: string, padding: Uint8Array = Buffer.alloc(0)): Uint8Array {
  return Buffer.concat([Buffer.from(`${label} ${randomUUID()}`), padding]);
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString();
}

function unsafe({ store }: Probe, what: string): EosError {
  const message = `${store.description} ${what}. Exactly once is impossible on it: use a store with conditional writes`;
  return new EosError('EOS_STORE_UNSAFE', message, { details: { fault: what } });
}

function checkInteger(option: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new EosError('EOS_CONFIG', `${option} must be an integer from ${least} to ${most}, not ${value}`, {
    details: { option },
  });
}
