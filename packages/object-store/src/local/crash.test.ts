import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ObjectStore, SealedUpload } from '../object-store.js';
import { localStoreOn } from './local-store.js';
import { dyingFiles, filesWith, unsyncedFiles, type FileCall } from './troubled-files.testing.js';

const PATIENCE_MS = 30;
const ABSENT = { condition: { ifAbsent: true } } as const;

let parent: string;
let root: string;
let living: ObjectStore;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'eos-objects-'));
  root = join(parent, 'root');
  living = localStoreOn(unsyncedFiles, root, PATIENCE_MS);
});
afterEach(() => rm(parent, { recursive: true, force: true }));

/** What is done to `folder/key`, which may hold `before`, and what it holds when it is done. */
interface Operation {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  run(store: ObjectStore, given: { readonly etag: string; readonly sealed: SealedUpload }): Promise<unknown>;
}

const KEY = 'folder/key';
const body = Buffer.from('new');

const operations: readonly Operation[] = [
  { name: 'put if absent', before: undefined, after: 'new', run: (store) => store.put(KEY, body, ABSENT) },
  { name: 'put over another', before: 'old', after: 'new', run: (store) => store.put(KEY, body) },
  {
    name: 'put if unchanged',
    before: 'old',
    after: 'new',
    run: (store, { etag }) => store.put(KEY, body, { condition: { ifMatch: etag } }),
  },
  { name: 'delete', before: 'old', after: undefined, run: (store) => store.delete([KEY]) },
  {
    name: 'complete if absent',
    before: undefined,
    after: 'new',
    run: (store, { sealed }) => store.complete(sealed, ABSENT),
  },
  {
    name: 'complete over another',
    before: 'old',
    after: 'new',
    run: (store, { sealed }) => store.complete(sealed),
  },
];

async function prepared({ name, before }: Operation): Promise<{ etag: string; sealed: SealedUpload }> {
  const put = before === undefined ? undefined : await living.put(KEY, Buffer.from(before));
  const etag = put?.stored === true ? put.etag : '';
  if (!name.startsWith('complete')) return { etag, sealed: { key: KEY, id: 'none', bytes: 0, sha256: '' } };
  const upload = await living.createUpload(KEY);
  await upload.write(body);
  return { etag, sealed: await upload.seal() };
}

async function textAt(store: ObjectStore): Promise<string | undefined> {
  return (await store.get(KEY))?.body.toString();
}

describe.each(operations)('a process that dies in "$name"', (operation) => {
  test.each(['before', 'after'] as const)(
    '%s any of its calls leaves the old or the new, and blocks nobody',
    async (moment) => {
      let deaths = 0;
      for (;;) {
        // A root of its own: what the dead have left costs calls too.
        root = join(parent, String(deaths));
        living = localStoreOn(unsyncedFiles, root, PATIENCE_MS);
        const given = await prepared(operation);
        const { files, died } = dyingFiles(deaths, moment);
        const dying = localStoreOn(files, root, PATIENCE_MS);
        const end = await Promise.race([died, operation.run(dying, given).then(() => 'done' as const)]);
        const found = await textAt(living);
        expect([operation.before, operation.after]).toContain(found);
        if (end === 'done') expect(found).toBe(operation.after);
        const keys: string[] = [];
        for await (const page of living.list()) keys.push(...page.map(({ key }) => key));
        expect(keys).toEqual(found === undefined ? [] : [KEY]);
        // Nobody is blocked: the same again, and then everything else.
        if (operation.name.startsWith('complete')) {
          expect(
            await living.complete(given.sealed, operation.before === undefined ? ABSENT : {}),
          ).toMatchObject({ stored: true });
          expect(await textAt(living)).toBe('new');
        }
        await living.delete([KEY]);
        await living.put(KEY, Buffer.from('later'), ABSENT);
        const later = await living.get(KEY);
        expect(await living.put(KEY, body, { condition: { ifMatch: later?.etag ?? '' } })).toMatchObject({
          stored: true,
        });
        await living.delete([KEY]);
        await living.abortUploads([given.sealed]);
        if (end === 'done') break;
        deaths++;
      }
      expect(deaths).toBeGreaterThan(3);
    },
  );
});

test('a process that slept between comparing and replacing loses its claim, and does not overwrite', async () => {
  const first = await living.put(KEY, Buffer.from('first'));
  let wake: () => void = () => undefined;
  let asleep: () => void = () => undefined;
  const sleeps = new Promise<void>((resolve) => (asleep = resolve));
  const woken = new Promise<void>((resolve) => (wake = resolve));
  let isFirst = true;
  const sleepy = filesWith(async ({ name, paths }, run) => {
    if (name === 'rename' && paths[1]?.endsWith('key~f') === true && isFirst) {
      isFirst = false;
      asleep();
      await woken;
    }
    return await run();
  });
  const condition = { ifMatch: first.stored ? first.etag : '' };
  const late = localStoreOn(sleepy, root, PATIENCE_MS).put(KEY, Buffer.from('late'), { condition });
  await sleeps;
  expect(await living.put(KEY, Buffer.from('second'), { condition })).toMatchObject({ stored: true });
  wake();
  expect(await late).toEqual({ stored: false });
  expect(await textAt(living)).toBe('second');
});

describe('what is durable when', () => {
  const traced = (): { store: ObjectStore; calls: FileCall[] } => {
    const calls: FileCall[] = [];
    const files = filesWith(async (call, run) => {
      const result = await run();
      calls.push(call);
      return result;
    });
    return { store: localStoreOn(files, root, PATIENCE_MS), calls };
  };
  const indexOf = (calls: readonly FileCall[], name: string, path: RegExp) =>
    calls.findIndex((call) => call.name === name && path.test(call.paths.at(-1) ?? ''));

  test('a body before its name, a new folder and the name before the answer', async () => {
    const { store, calls } = traced();
    await store.put('a/b/key', body, ABSENT);
    const order = [
      indexOf(calls, 'syncFolder', /\/a$/),
      indexOf(calls, 'create', /temporary/),
      indexOf(calls, 'link', /key~f$/),
      indexOf(calls, 'syncFolder', /\/a\/b$/),
    ];
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test('a lost race too: its winner may not have come to it yet', async () => {
    await living.put('a/b/key', body);
    const { store, calls } = traced();
    expect(await store.put('a/b/key', body, ABSENT)).toEqual({ stored: false });
    expect(indexOf(calls, 'syncFolder', /\/a\/b$/)).toBeGreaterThan(0);
  });

  test('a folder that cannot be made durable leaves the outcome unknown', async () => {
    const files = filesWith(async ({ name, paths }, run) => {
      if (name === 'syncFolder' && paths[0]?.endsWith('folder') === true) throw new Error('EIO');
      return await run();
    });
    const store = localStoreOn(files, root, PATIENCE_MS);
    await expect(store.put(KEY, body, ABSENT)).rejects.toMatchObject({
      code: 'EOS_UNKNOWN_OUTCOME',
      outcome: 'unknown',
      retryable: true,
    });
  });

  test('a disk that is full is no unknown outcome', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const files = filesWith(async ({ name }, run) => {
      if (name === 'create') throw full;
      return await run();
    });
    const put = localStoreOn(files, root, PATIENCE_MS).put(KEY, body, ABSENT);
    await expect(put).rejects.toMatchObject({ code: 'EOS_UNAVAILABLE', outcome: 'aborted', retryable: true });
    expect(await textAt(living)).toBeUndefined();
  });
});
