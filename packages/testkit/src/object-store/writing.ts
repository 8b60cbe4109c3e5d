import type { ObjectStore } from '@eos/object-store';
import { labelledBody, labelOf } from './bodies.js';
import { bytesOf, keysOf, type StoreSuite } from './suite.js';

const REPLACEMENTS = 12;
const BODY_BYTES = 600_000;
/** More than one request of S3 deletes. */
const MANY_KEYS = 1_001;

/** What a put and a delete promise without conditions. */
export function writing({ group, test }: StoreSuite): void {
  group('writing', () => {
    test('every client sees at once what a put, or a delete, acknowledged', async (world) => {
      const [writer, reader] = await world.openMany(2);
      if (writer === undefined || reader === undefined) return;
      for (const text of ['first', 'second, which is longer', '3rd']) {
        await writer.put('folder/key', bytesOf(text));
        await world.expectText(reader, 'folder/key', text);
      }
      await writer.delete(['folder/key']);
      await world.expectText(reader, 'folder/key', undefined);
      await writer.put('folder/key', bytesOf('back'));
      await world.expectText(reader, 'folder/key', 'back');
    });

    test('a reader never sees a part of a body, nor an earlier one after a later one', async (world) => {
      const [writer, reader] = await world.openMany(2);
      if (writer === undefined || reader === undefined) return;
      const key = 'replaced';
      let acknowledged = -1;
      let isOver = false;
      const write = async () => {
        for (let count = 0; count < REPLACEMENTS; count++) {
          // Of changing length, so that a shorter one over a longer one shows too.
          await writer.put(key, labelledBody(String(count), BODY_BYTES >> (count % 3)));
          acknowledged = count;
        }
        isOver = true;
      };
      const written = write();
      const wrong: string[] = [];
      let last = -1;
      while (!isOver) {
        const least = Math.max(acknowledged, last);
        const label = await labelAt(reader, key);
        if (label === undefined ? least >= 0 : !(Number(label) >= least))
          wrong.push(`${String(label)} after ${least}`);
        else if (label !== undefined) last = Number(label);
        // A store in memory gives no other turn to the writer.
        await new Promise((resolve) => setImmediate(resolve));
        if (wrong.length > 0) break;
      }
      await written;
      world.expect(wrong).toEqual([]);
      world.expect(await labelAt(reader, key)).toEqual(String(REPLACEMENTS - 1));
    });

    test('of puts at the same time one whole body remains', async (world) => {
      const stores = await world.openMany(4);
      await Promise.all(
        stores.map((store, index) => store.put('raced', labelledBody(`writer ${index}`, 200_000 + index))),
      );
      const [store] = stores;
      world.expect(/^writer \d$/.test(String(store && (await labelAt(store, 'raced'))))).toEqual(true);
    });

    test('delete takes many keys, and only those; one that is not there is no error', async (world) => {
      const store = await world.open();
      await Promise.all(['a/0', 'a/1', 'a/10', 'b', 'bc'].map((key) => store.put(key, bytesOf(key))));
      const keys = Array.from({ length: MANY_KEYS }, (_, index) => `a/${MANY_KEYS - index}`);
      await store.delete(keys);
      world.expect(await keysOf(store)).toEqual(['a/0', 'b', 'bc']);
      await store.delete(keys);
      await store.delete([]);
      await store.delete(['b', 'b']);
      world.expect(await keysOf(store)).toEqual(['a/0', 'bc']);
    });
  });
}

async function labelAt(store: ObjectStore, key: string): Promise<string | undefined> {
  const found = await store.get(key);
  return found && labelOf(found.body);
}
