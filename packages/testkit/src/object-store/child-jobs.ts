import type { ObjectStore } from '@eos/object-store';
import { labelledBody } from './bodies.js';

/** What a child is asked to do with its store. */
export type ChildJob =
  /** Puts `race/<round>` with ifAbsent, and raises `counter` by ifMatch, once each round. */
  | { readonly kind: 'race'; readonly name: string; readonly rounds: number }
  /** Writes in every way, until it is killed, and tells of what was acknowledged. */
  | { readonly kind: 'write'; readonly name: string };

/** What a child tells. */
export type ChildMessage =
  | { readonly eos: 'ready' }
  | { readonly eos: 'won'; readonly rounds: readonly number[] }
  | { readonly eos: 'stored'; readonly key: string; readonly label: string };

export type Tell = (message: ChildMessage) => void;

const BODY_BYTES = 200_000;

export async function runJob(store: ObjectStore, job: ChildJob, tell: Tell): Promise<void> {
  if (job.kind === 'race') await race(store, job, tell);
  else await writeForever(store, job.name, tell);
}

async function race(
  store: ObjectStore,
  { name, rounds }: Extract<ChildJob, { kind: 'race' }>,
  tell: Tell,
): Promise<void> {
  const won: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const body = labelledBody(name, 1_000);
    const { stored } = await store.put(`race/${round}`, body, { condition: { ifAbsent: true } });
    if (stored) won.push(round);
    await raise(store);
  }
  tell({ eos: 'won', rounds: won });
}

/** Adds one to `counter`, starting again wherever another was faster. */
export async function raise(store: ObjectStore): Promise<void> {
  for (;;) {
    const found = await store.get('counter');
    if (found === undefined) throw new Error('the counter is gone');
    const next = Buffer.from(String(Number(Buffer.from(found.body).toString()) + 1));
    if ((await store.put('counter', next, { condition: { ifMatch: found.etag } })).stored) return;
  }
}

async function writeForever(store: ObjectStore, name: string, tell: Tell): Promise<void> {
  for (let count = 0; ; count++) {
    const label = `${name}/${count}`;
    const body = labelledBody(label, BODY_BYTES);
    const key = `log/${label}`;
    if ((await store.put(key, body, { condition: { ifAbsent: true } })).stored)
      tell({ eos: 'stored', key, label });
    await store.put('replaced', body);
    await raise(store);
    const upload = await store.createUpload(`uploaded/${label}`);
    await upload.write(body);
    await store.complete(await upload.seal(), { condition: { ifAbsent: true } });
    tell({ eos: 'stored', key: `uploaded/${label}`, label });
  }
}
