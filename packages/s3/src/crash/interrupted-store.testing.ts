/** A store whose calls are struck: for stores without a network, the port is where a writer dies and answers are lost. */
import { EosError } from '@eos/core';
import type { ObjectStore, Upload } from '@eos/object-store';
import { Strikes, type Interrupter } from './interruption.testing.js';

export interface InterruptedStore {
  readonly store: ObjectStore;
  readonly interrupter: Interrupter;
  /** Frees what the dead have left open, as the end of their process would. */
  readonly bury: () => Promise<void>;
}

export function interruptedStore(inner: ObjectStore): InterruptedStore {
  const strikes = new Strikes();
  const opened: Upload[] = [];

  async function call<T>(run: () => Promise<T>, error: () => EosError): Promise<T> {
    if (strikes.isDead) return await never<T>();
    switch (strikes.next()) {
      case undefined:
        return await run();
      case 'before':
        strikes.die();
        return await never<T>();
      case 'after':
        await run().catch(() => undefined);
        strikes.die();
        return await never<T>();
      case 'lost':
        await run().catch(() => undefined);
        throw error();
      case 'late':
        strikes.keep(run);
        throw error();
    }
  }
  const read = <T>(run: () => Promise<T>) => call(run, unavailable);
  const write = <T>(run: () => Promise<T>) => call(run, unknown);

  const store: ObjectStore = {
    description: inner.description,
    get: (key) => read(() => inner.get(key)),
    read: (key, range) => read(() => inner.read(key, range)),
    head: (key) => read(() => inner.head(key)),
    put: (key, body, options) => write(() => inner.put(key, Buffer.from(body), options)),
    list: (options) => inner.list(options),
    delete: (keys) => write(() => inner.delete(keys)),
    createUpload: (key) =>
      read(async () => {
        const upload = await inner.createUpload(key);
        opened.push(upload);
        return {
          key: upload.key,
          id: upload.id,
          // Not struck: nothing of an upload is seen before its end. What its bytes go through is tested with the store, and on a server.
          write: (bytes) => (strikes.isDead ? never() : upload.write(bytes)),
          seal: () => read(() => upload.seal()),
          abort: () => read(() => upload.abort()),
        };
      }),
    complete: (upload, options) => write(() => inner.complete(upload, options)),
    abortUploads: (uploads) => write(() => inner.abortUploads(uploads)),
    listUploads: (options) => inner.listUploads(options),
    close: () => inner.close(),
  };
  return {
    store,
    interrupter: strikes,
    bury: async () => {
      await Promise.allSettled(opened.map((upload) => upload.abort()));
    },
  };
}

/** What a process that is dead waits for. */
async function never<T>(): Promise<T> {
  return await new Promise<T>(() => undefined);
}

function unavailable(): EosError {
  return new EosError('EOS_UNAVAILABLE', 'the connection is gone', { retryable: true });
}

function unknown(): EosError {
  return new EosError('EOS_UNKNOWN_OUTCOME', 'the answer was lost', { retryable: true, outcome: 'unknown' });
}
