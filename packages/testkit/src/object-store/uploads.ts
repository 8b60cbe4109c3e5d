import type { ObjectStore, SealedUpload, UploadEntry } from '@eos/object-store';
import { labelledBody, labelOf } from './bodies.js';
import { bytesOf, failureOf, keysOf, type StoreSuite } from './suite.js';

/** More than one part of S3, and no multiple of it. */
const LARGE_BYTES = 11_000_003;
const CHUNK_BYTES = 1_300_001;
const ABSENT = { condition: { ifAbsent: true } } as const;

/** Bodies that are written in pieces, and become visible in one step. */
export function uploads({ group, test }: StoreSuite): void {
  group('uploads', () => {
    test('an upload is invisible until it is completed, by whichever client', async (world) => {
      const [store, other] = await world.openMany(2);
      if (store === undefined || other === undefined) return;
      const sealed = await uploaded(store, 'folder/key', 'the body');
      await world.expectText(other, 'folder/key', undefined);
      world.expect(await keysOf(other)).toEqual([]);
      world.expect(await uploadsOf(other)).toEqual([{ key: 'folder/key', id: sealed.id }]);
      await store.close();
      // As a log would have kept it.
      const kept = JSON.parse(JSON.stringify(sealed)) as SealedUpload;
      world.expect((await other.complete(kept)).stored).toEqual(true);
      await world.expectText(other, 'folder/key', 'the body');
      world.expect(await uploadsOf(other)).toEqual([]);
    });

    test('a large body keeps its order, an empty one is a body too', async (world) => {
      const store = await world.open();
      const body = labelledBody('large', LARGE_BYTES);
      const upload = await store.createUpload('large');
      for (let start = 0; start < body.length; start += CHUNK_BYTES) {
        // The bytes may be used again as soon as write has returned.
        const chunk = Buffer.from(body.subarray(start, start + CHUNK_BYTES));
        await upload.write(chunk);
        chunk.fill(0);
      }
      const sealed = await upload.seal();
      world.expect(sealed.bytes).toEqual(LARGE_BYTES);
      await store.complete(sealed);
      const found = await store.get('large');
      world.expect(found && labelOf(found.body)).toEqual('large');
      await store.complete(await uploaded(store, 'empty', ''));
      await world.expectText(store, 'empty', '');
    });

    test('complete compares as put does', async (world) => {
      const store = await world.open();
      const first = await uploaded(store, 'key', 'first');
      const second = await uploaded(store, 'key', 'second');
      const result = await store.complete(second, ABSENT);
      world.expect(result.stored).toEqual(true);
      world.expect((await store.complete(first, ABSENT)).stored).toEqual(false);
      await world.expectText(store, 'key', 'second');
      // By ETag, as few stores can: refused, not forgotten. A caller without types may ask for it.
      const byEtag = { condition: { ifMatch: 'etag' } } as unknown as typeof ABSENT;
      await world.expectCode(store.complete(first, byEtag), 'EOS_CONFIG');
      await world.expectText(store, 'key', 'second');
      world.expect((await store.complete(first)).stored).toEqual(true);
      await world.expectText(store, 'key', 'first');
    });

    test('completed again, it is stored still, and changes nothing', async (world) => {
      const [store, other] = await world.openMany(2);
      if (store === undefined || other === undefined) return;
      const sealed = await uploaded(store, 'key', 'mine');
      for (const again of [store, store, other])
        world.expect((await again.complete(sealed, ABSENT)).stored).toEqual(true);
      world.expect((await store.complete(sealed)).stored).toEqual(true);
      await world.expectText(store, 'key', 'mine');
      await store.put('key', bytesOf('another one since'));
      await failureOf(store.complete(sealed));
      await world.expectText(store, 'key', 'another one since');
      await failureOf(store.complete(sealed, ABSENT));
      await world.expectText(store, 'key', 'another one since');
    });

    test('aborted, it is gone for good', async (world) => {
      const [store, other] = await world.openMany(2);
      if (store === undefined || other === undefined) return;
      const sealed = await uploaded(store, 'key', 'x');
      const kept = await uploaded(store, 'kept', 'y');
      const open = await store.createUpload('open');
      await open.write(bytesOf('z'));
      await open.abort();
      await other.abortUploads([sealed]);
      await other.abortUploads([sealed]);
      world.expect(await uploadsOf(store)).toEqual([{ key: 'kept', id: kept.id }]);
      world.expect(await store.complete(sealed)).toEqual({ stored: false, vanished: true });
      world.expect(await keysOf(store)).toEqual([]);
      world.expect((await store.complete(kept)).stored).toEqual(true);
    });

    test('an upload that was aborted is not mistaken for an object of the same length', async (world) => {
      const store = await world.open();
      const sealed = await uploaded(store, 'key', 'mine');
      await store.abortUploads([sealed]);
      await store.put('key', bytesOf('ours'));
      world.expect((await store.complete(sealed)).stored).toEqual(false);
      world.expect((await store.complete(sealed, ABSENT)).stored).toEqual(false);
      await world.expectText(store, 'key', 'ours');
    });

    test('uploads of one key live side by side, and are listed by prefix', async (world) => {
      const store = await world.open();
      const keys = ['a/1', 'a/1', 'a/2', 'b'];
      const sealed = await Promise.all(keys.map((key, index) => uploaded(store, key, String(index))));
      world.expect(new Set(sealed.map(({ id }) => id)).size).toEqual(keys.length);
      world.expect((await uploadsOf(store)).map(({ key }) => key)).toEqual(keys);
      world.expect((await uploadsOf(store, 'a/')).map(({ key }) => key)).toEqual(['a/1', 'a/1', 'a/2']);
      world.expect(await uploadsOf(store, 'c')).toEqual([]);
      const [first] = sealed;
      if (first !== undefined) await store.complete(first);
      world.expect((await uploadsOf(store)).map(({ key }) => key)).toEqual(['a/1', 'a/2', 'b']);
    });

    test('a call that the state of an upload does not allow is refused', async (world) => {
      const store = await world.open();
      const upload = await store.createUpload('key');
      await upload.seal();
      await world.expectCode(upload.write(bytesOf('x')), 'EOS_STATE');
      await world.expectCode(upload.seal(), 'EOS_STATE');
      await world.expectCode(upload.abort(), 'EOS_STATE');
      const aborted = await store.createUpload('key');
      await aborted.abort();
      await world.expectCode(aborted.write(bytesOf('x')), 'EOS_STATE');
      await world.expectCode(aborted.seal(), 'EOS_STATE');
      await aborted.abort();
    });

    test('of racing completions with ifAbsent exactly one is stored', async (world) => {
      const stores = await world.openMany(6);
      for (let round = 0; round < 3; round++) {
        const key = `race/${round}`;
        const all = await Promise.all(
          stores.map(async (store, index) => ({
            store,
            sealed: await uploaded(store, key, `racer ${index}`),
          })),
        );
        const results = await Promise.all(all.map(({ store, sealed }) => store.complete(sealed, ABSENT)));
        const winners = results.flatMap(({ stored }, index) => (stored ? [`racer ${index}`] : []));
        world.expect(winners.length).toEqual(1);
        await world.expectText(await world.open(), key, winners[0]);
      }
    });
  });
}

/** A sealed upload of a text. */
export async function uploaded(store: ObjectStore, key: string, text: string): Promise<SealedUpload> {
  const upload = await store.createUpload(key);
  if (text !== '') await upload.write(bytesOf(text));
  return await upload.seal();
}

export async function uploadsOf(store: ObjectStore, prefix?: string): Promise<UploadEntry[]> {
  const entries: UploadEntry[] = [];
  for await (const page of store.listUploads(prefix === undefined ? {} : { prefix })) entries.push(...page);
  // Each of a key's own is as good as the other.
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}
