/**
 * To replace a file on a condition is two steps, compare and rename, and other processes must not come between. A claim keeps them out:
 * - To claim a key is to rename a folder that holds one *token*, a file or folder with a name of its own, to the key's claim folder. The
 *   file system lets that happen only where the claim folder is missing or empty.
 * - To publish is to rename the token itself to the object's path (or, to delete, the object into the token). It ends the claim in
 *   the same atomic step, and fails where the token is gone.
 * - A claim whose process died is *broken* by whoever waits too long: its token is removed. That is safe at any moment, also where the
 *   process only slept: its publishing then fails, and it starts again. So time decides who waits, never what is right.
 */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EosError } from '@eos/core';
import { codeOf, ifThere } from './file-errors.js';
import type { Files } from './files.js';
import type { Place } from './place.js';

/** A claim takes as long as a few calls of the file system. One that stays so long stands in the way of others, dead or not. */
export const PATIENCE_MS = 2_000;
/** Between two looks at a claim that another has: a claim is short, so the first ones follow soon. */
const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 20;
/** How often a write starts again after its claim was broken. */
const MAX_ATTEMPTS = 10;
/** In a token that is a folder: the object that was deleted. */
const DELETED = 'deleted';

/** What a write does while it has its key for itself. */
export interface Claim {
  /** Publishes the token: it is the object now. False where the claim was broken: nothing happened. */
  publish(path: string): Promise<boolean>;
  /** Moves the object into the token. False where the claim was broken or there is no object. */
  remove(path: string): Promise<boolean>;
}

/** `again`: the claim was broken before its work was done. */
export type Attempt<T> = { readonly done: T } | 'again';

/**
 * Claims a key and works on it, until the work is done.
 * @param makeToken makes the token, a file or a folder, at a path
 */
export async function withClaim<T>(
  { files, folders, patienceMs }: Place,
  key: string,
  makeToken: (path: string) => Promise<void>,
  work: (claim: Claim) => Promise<Attempt<T>>,
): Promise<T> {
  const name = createHash('sha256').update(key).digest('hex');
  const claimed = join(folders.claims, name);
  await folders.ensure(folders.claims);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const prepared = await folders.newTemporary();
    const token = join(claimed, basename(prepared));
    await files.makeFolder(prepared);
    try {
      await makeToken(join(prepared, basename(prepared)));
      await take(files, prepared, claimed, patienceMs);
    } catch (error) {
      await files.remove(prepared).catch(() => undefined);
      throw error;
    }
    try {
      const result = await work(claimOf(files, token));
      if (result !== 'again') return result.done;
    } finally {
      await end(files, claimed, token).catch(() => undefined);
    }
  }
  throw new EosError(
    'EOS_UNAVAILABLE',
    `${key} could not be written: others took its claim ${MAX_ATTEMPTS} times`,
    {
      retryable: true,
    },
  );
}

function claimOf(files: Files, token: string): Claim {
  const moved = async (from: string, to: string) =>
    (await ifThere(files.rename(from, to).then(() => true))) ?? false;
  return {
    publish: (path) => moved(token, path),
    remove: (path) => moved(path, join(token, DELETED)),
  };
}

async function take(files: Files, prepared: string, claimed: string, patienceMs: number): Promise<void> {
  let blocking: string | undefined;
  let since = 0;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(MAX_PAUSE_MS, 2 * pause)) {
    try {
      await files.rename(prepared, claimed);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error;
      const found = await ifThere(files.entries(claimed));
      const token = found?.[0]?.name;
      // Where even an empty folder is not replaced, as on Windows.
      if (token === undefined) {
        if (code !== 'ENOTEMPTY') await files.removeFolder(claimed).catch(() => undefined);
        continue;
      }
      if (token !== blocking) [blocking, since] = [token, performance.now()];
      else if (performance.now() - since > patienceMs) await breakToken(files, join(claimed, token));
    }
    await delay(1 + Math.random() * pause);
  }
}

/** Removes a token in one atomic step. One that holds a deleted object has done its work. */
async function breakToken(files: Files, token: string): Promise<void> {
  try {
    await files.unlink(token);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return;
    if (code !== 'EISDIR' && code !== 'EPERM') throw error;
    await files.unlink(join(token, DELETED)).catch(() => undefined);
    await files.removeFolder(token).catch(() => undefined);
  }
}

async function end(files: Files, claimed: string, token: string): Promise<void> {
  await breakToken(files, token);
  await files.removeFolder(claimed);
}

/** A token for a claim that publishes nothing. */
export function emptyToken(files: Files): (path: string) => Promise<void> {
  return (path) => files.makeFolder(path);
}
