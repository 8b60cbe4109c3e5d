/** One object in the making: a single put where it is small, an upload in parts where it is large or has to stay unseen. */
import { createHash } from 'node:crypto';
import { EosError } from '@eos/core';
import type { ObjectStore, SealedUpload, Upload } from '@eos/object-store';
import type { ByteSink } from './compression.js';

/** Below so many bytes a body is one request; from here on it is uploaded in parts, which travel side by side. */
const SINGLE_PUT_BYTES = 8 * 2 ** 20;

export interface StoredBody {
  readonly bytes: number;
  /** SHA-256 in hex. */
  readonly sha256: string;
  /** Where it was to stay unseen. */
  readonly upload?: SealedUpload;
}

export interface ObjectWriter extends ByteSink {
  /** Taken so far. */
  readonly bytes: number;
  /**
   * Ends the body; it is durable when this returns.
   * @throws EOS_UNAVAILABLE, retryable, where the store has lost the upload: somebody aborted it, such as a lifecycle rule
   */
  store(): Promise<StoredBody>;
  /** Frees what is held and deletes what was stored. Never throws. */
  abort(): Promise<void>;
}

/**
 * Memory: up to 8 MiB until the upload begins, then what the store holds for it.
 * @param isPending true: the body stays an uncompleted upload
 */
export function objectWriter(store: ObjectStore, key: string, isPending: boolean): ObjectWriter {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let bytes = 0;
  let upload: Upload | undefined;
  let state: 'open' | 'storing' | 'completing' | 'aborted' = 'open';

  const flush = async (): Promise<Upload> => {
    upload ??= await store.createUpload(key);
    const chunks = held;
    [held, heldBytes] = [[], 0];
    for (const chunk of chunks) await upload.write(chunk);
    return upload;
  };

  return {
    get bytes() {
      return bytes;
    },
    async write(chunk) {
      bytes += chunk.length;
      held.push(Buffer.from(chunk));
      heldBytes += chunk.length;
      if (upload !== undefined || heldBytes >= SINGLE_PUT_BYTES) await flush();
    },
    end: async () => {},
    async store() {
      if (!isPending && upload === undefined) {
        const body = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held, heldBytes);
        held = [];
        state = 'completing';
        // Nobody else has the name: on a disk this is the cheapest way.
        const put = await store.put(key, body, { condition: { ifAbsent: true } });
        if (!put.stored) throw lostBody(key, 'was put there by somebody else');
        return { bytes, sha256: createHash('sha256').update(body).digest('hex') };
      }
      const open = await flush();
      state = 'storing';
      const sealed = await open.seal();
      if (isPending) return { bytes, sha256: sealed.sha256, upload: sealed };
      state = 'completing';
      const completed = await store.complete(sealed, { isKeyUnique: true });
      if (!completed.stored) throw lostBody(key, 'is gone from the store before it was completed');
      return { bytes, sha256: sealed.sha256 };
    },
    async abort() {
      const before = state;
      state = 'aborted';
      held = [];
      if (upload !== undefined) {
        if (before === 'open') await upload.abort().catch(() => undefined);
        else await store.abortUploads([upload]).catch(() => undefined);
      }
      if (before === 'completing') await store.delete([key]).catch(() => undefined);
    },
  };
}

/** Nothing was committed yet: the rows are written again, under another name. */
function lostBody(key: string, problem: string): EosError {
  return new EosError('EOS_UNAVAILABLE', `the file ${key} ${problem}`, { retryable: true, details: { key } });
}
