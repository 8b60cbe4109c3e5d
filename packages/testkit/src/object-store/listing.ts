import type { ObjectStore } from '@eos/object-store';
import { bytesOf, entriesOf, keysOf, type StoreSuite } from './suite.js';

/** By bytes: `-` and `.` come before `/`, and so before what lies in a folder; U+FFFD before the first character of four bytes. */
const IN_ORDER = [
  'a-',
  'a-x/1',
  'a.b',
  'a/0',
  'a/b/c',
  'a/b0',
  'a0',
  'aa/1',
  'b/A',
  'b/a',
  'b/Ä',
  'b/\ufffd',
  'b/🚀',
];

/** Order, prefixes, starts and pages of listings. */
export function listing({ group, test }: StoreSuite): void {
  group('listing', () => {
    test('keys come in the order of their bytes', async (world) => {
      const store = await filled(await world.open());
      world.expect(await keysOf(store)).toEqual(IN_ORDER);
    });

    test('a prefix selects, whether it is a folder or not', async (world) => {
      const store = await filled(await world.open());
      for (const prefix of ['a', 'a/', 'a-', 'a/b', 'a/b/', 'b/', 'b/\ufffd', 'c', 'a/b/c', 'a/b/cd', '/']) {
        world.expect({ prefix, keys: await keysOf(store, prefix) }).toEqual({
          prefix,
          keys: IN_ORDER.filter((key) => key.startsWith(prefix)),
        });
      }
    });

    test('startAfter begins above a key, whether it is there or not', async (world) => {
      const store = await filled(await world.open());
      for (const startAfter of [...IN_ORDER, 'a', 'a/', 'a/b', 'a/b/zz', 'b', 'zzz', ' ']) {
        const keys = await collected(store, { startAfter });
        const above = (key: string) => Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) > 0;
        world.expect({ startAfter, keys }).toEqual({ startAfter, keys: IN_ORDER.filter(above) });
        const within = await collected(store, { prefix: 'a/', startAfter });
        const expected = IN_ORDER.filter((key) => key.startsWith('a/') && above(key));
        world.expect({ startAfter, within }).toEqual({ startAfter, within: expected });
      }
    });

    test('pages are as small as asked for, never empty, and make up the whole', async (world) => {
      const store = await filled(await world.open());
      for (const pageSize of [1, 3, IN_ORDER.length, 1_000]) {
        const pages: string[][] = [];
        for await (const page of store.list({ pageSize })) pages.push(page.map(({ key }) => key));
        world.expect(pages.filter(({ length }) => length === 0 || length > pageSize)).toEqual([]);
        world.expect(pages.flat()).toEqual(IN_ORDER);
      }
      for (const pageSize of [0, -1, 1.5, 1_001])
        await world.expectCode(collected(store, { pageSize }), 'EOS_CONFIG');
    });

    test('more objects than one page holds', async (world) => {
      const store = await world.open();
      const keys = Array.from({ length: 230 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
      for (let start = 0; start < keys.length; start += 50)
        await Promise.all(keys.slice(start, start + 50).map((key) => store.put(key, bytesOf(key))));
      world.expect(await collected(store, { prefix: 'many/', pageSize: 100 })).toEqual(keys);
      world
        .expect(await collected(store, { prefix: 'many/', startAfter: 'many/00220' }))
        .toEqual(keys.slice(221));
    });

    test('entries tell size and time', async (world) => {
      const store = await world.open();
      await store.put('sized', bytesOf('12345'));
      const [entry] = await entriesOf(store);
      world.expect({ key: entry?.key, bytes: entry?.bytes }).toEqual({ key: 'sized', bytes: 5 });
      // Stores' clocks count seconds, or differ from ours; a day is no clock's fault.
      const age = Date.now() - (entry?.lastModified.getTime() ?? 0);
      world.expect(Math.abs(age) < 86_400_000).toEqual(true);
      const head = await store.head('sized');
      world.expect({ key: head?.key, bytes: head?.bytes }).toEqual({ key: 'sized', bytes: 5 });
    });

    test('what stays is listed once, whatever comes and goes meanwhile', async (world) => {
      const [store, other] = await world.openMany(2);
      if (store === undefined || other === undefined) return;
      const staying = Array.from({ length: 20 }, (_, index) => `s/${String(index * 2).padStart(3, '0')}`);
      await Promise.all(staying.map((key) => store.put(key, bytesOf(key))));
      const listed: string[] = [];
      let turn = 0;
      for await (const page of store.list({ prefix: 's/', pageSize: 2 })) {
        listed.push(...page.map(({ key }) => key));
        const odd = `s/${String(turn * 2 + 1).padStart(3, '0')}`;
        await other.put(odd, bytesOf('comes'));
        if (turn > 3) await other.delete([`s/${String((turn - 3) * 2 + 1).padStart(3, '0')}`]);
        turn++;
      }
      world.expect(listed.filter((key) => staying.includes(key))).toEqual(staying);
      world.expect(listed).toEqual([...new Set(listed)]);
    });
  });
}

async function filled(store: ObjectStore): Promise<ObjectStore> {
  await Promise.all([...IN_ORDER].reverse().map((key) => store.put(key, bytesOf(key))));
  return store;
}

async function collected(store: ObjectStore, options: Parameters<ObjectStore['list']>[0]): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.list(options)) keys.push(...page.map(({ key }) => key));
  return keys;
}
