/** One object that is written piece by piece: a single put while it is small, an upload in parts from there on. */
import { EosError } from '@eos/core';
import type { ObjectStore, Upload } from '@eos/object-store';

/** Up to here one request is cheaper than the three of an upload. */
const PUT_BYTES = 8 * 1024 * 1024;

/** Memory: up to 8 MiB, then what an upload of the store holds. */
export class ObjectWriter {
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #upload: Upload | undefined;

  constructor(
    private readonly store: ObjectStore,
    readonly key: string,
  ) {}

  /** Keeps the bytes: they must not change any more. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#upload !== undefined) {
      await this.#upload.write(bytes);
      return;
    }
    this.#chunks.push(bytes);
    this.#buffered += bytes.length;
    if (this.#buffered <= PUT_BYTES) return;
    this.#upload = await this.store.createUpload(this.key);
    for (const chunk of this.#chunks.splice(0)) await this.#upload.write(chunk);
  }

  /** Makes the object durable and visible, over any other under its key. */
  async finish(): Promise<void> {
    if (this.#upload === undefined) {
      await this.store.put(this.key, Buffer.concat(this.#chunks.splice(0)));
      return;
    }
    const result = await this.store.complete(await this.#upload.seal());
    if (result.stored) return;
    const message = `the store gave up the upload of ${this.key} before it was complete: it is written again`;
    throw new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { key: this.key } });
  }

  /** Forgets what was not finished. Never throws. */
  async abort(): Promise<void> {
    this.#chunks = [];
    await this.#upload?.abort().catch(() => undefined);
  }
}
