import { bytesOf, keysOf, textOf, type StoreSuite } from './suite.js';

const ODD_KEYS = [
  'plain',
  'folder/file.txt',
  'folder/deeper/date=2026-01-31/part-0.parquet',
  '_eos/log/00000000000000000001.json',
  'spaces in it/and + plus & ampersand',
  'percent%20encoded/100%/%2F',
  'quotes\'and"more"',
  'brackets[0]{1}(2)<3>',
  'tilde~/~d/~7E',
  'colon:question?star*pipe|',
  'back\\slash',
  'hash#mark;semi,comma=equals@at!$^`',
  'Ünïcödé/日本語/🚀',
  '.hidden/.file',
  'CON/nul.txt',
  'ends with a dot./and a space ',
  '..dots/...',
  'a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p',
];

const WRONG_KEYS = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  'nul\0',
  'line\nfeed',
  '\ud800',
  'k'.repeat(1_025),
];

/** Keys, bodies and ranges. */
export function reading({ group, test }: StoreSuite): void {
  group('reading', () => {
    test('an object that is not there', async (world) => {
      const store = await world.open();
      world.expect(await store.get('none')).toEqual(undefined);
      world.expect(await store.head('none')).toEqual(undefined);
      world.expect(await store.read('none', { start: 0, end: 1 })).toEqual(undefined);
      world.expect(await keysOf(store)).toEqual([]);
    });

    test('every body comes back as it was, also an empty one and all bytes', async (world) => {
      const [store, other] = await world.openMany(2);
      if (store === undefined || other === undefined) return;
      const bodies = [
        new Uint8Array(0),
        Uint8Array.from({ length: 256 }, (_, index) => index),
        new Uint8Array(300_000),
      ];
      for (const [index, body] of bodies.entries()) {
        await store.put(`body/${index}`, body);
        const found = await other.get(`body/${index}`);
        world.expect(found && Buffer.from(found.body).equals(body)).toEqual(true);
        world.expect((await other.head(`body/${index}`))?.bytes).toEqual(body.length);
      }
    });

    test('a body is taken as it was when put was called, and given as one’s own', async (world) => {
      const store = await world.open();
      const body = Buffer.from('first');
      await store.put('kept', body);
      body.fill('x');
      const found = await store.get('kept');
      found?.body.fill(0);
      await world.expectText(store, 'kept', 'first');
    });

    test('odd keys are kept apart and listed as they are', async (world) => {
      const store = await world.open();
      for (const key of ODD_KEYS) await store.put(key, bytesOf(key));
      for (const key of ODD_KEYS) await world.expectText(store, key, key);
      world.expect(new Set(await keysOf(store))).toEqual(new Set(ODD_KEYS));
      await store.delete(ODD_KEYS);
      world.expect(await keysOf(store)).toEqual([]);
    });

    test('keys that not every store can hold are refused', async (world) => {
      const store = await world.open();
      for (const key of WRONG_KEYS) {
        await world.expectCode(store.put(key, bytesOf('x')), 'EOS_CONFIG');
        await world.expectCode(store.get(key), 'EOS_CONFIG');
        await world.expectCode(store.head(key), 'EOS_CONFIG');
        await world.expectCode(store.delete([key]), 'EOS_CONFIG');
        await world.expectCode(store.createUpload(key), 'EOS_CONFIG');
      }
      world.expect(await keysOf(store)).toEqual([]);
    });

    test('ranges', async (world) => {
      const store = await world.open();
      await store.put('digits', bytesOf('0123456789'));
      const read = async (range: Parameters<typeof store.read>[1]) => {
        const found = await store.read('digits', range);
        return found && textOf(found);
      };
      world.expect(await read({ start: 0, end: 10 })).toEqual('0123456789');
      world.expect(await read({ start: 3, end: 4 })).toEqual('3');
      world.expect(await read({ start: 8, end: 100 })).toEqual('89');
      world.expect(await read({ start: 10, end: 11 })).toEqual('');
      world.expect(await read({ start: 50, end: 60 })).toEqual('');
      world.expect(await read({ last: 3 })).toEqual('789');
      world.expect(await read({ last: 30 })).toEqual('0123456789');
      await store.put('empty', new Uint8Array(0));
      world.expect(await store.read('empty', { last: 5 })).toEqual(new Uint8Array(0));
      for (const range of [{ start: 1, end: 1 }, { start: -1, end: 1 }, { start: 0.5, end: 1 }, { last: 0 }])
        await world.expectCode(store.read('digits', range), 'EOS_CONFIG');
    });

    test('a store that was closed says so', async (world) => {
      const store = await world.open();
      await store.close();
      await world.expectCode(store.get('key'), 'EOS_CLOSED');
      await world.expectCode(store.put('key', bytesOf('x')), 'EOS_CLOSED');
      await world.expectCode(keysOf(store), 'EOS_CLOSED');
      await world.expectCode(store.createUpload('key'), 'EOS_CLOSED');
    });
  });
}
