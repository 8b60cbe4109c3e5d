/** One object that is written piece by piece: a single put while it is small, an upload in parts from there on. */
import { EosError } from '@eos/core';
import type { CompleteOptions, ObjectStore, PutResult, Upload } from '@eos/object-store';

/** Up to here one request is cheaper than the three of an upload. */
const PUT_BYTES = 8 * 1024 * 1024;

/** Memory: up to 8 MiB, then what an upload of the store holds. */
export class ObjectWriter {
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #upload: Upload | undefined;

  /** @param options with a condition: a name that is new, so that nothing is ever written over */
  constructor(
    private readonly store: ObjectStore,
    readonly key: string,
    private readonly options: CompleteOptions = {},
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

  /** Makes the object durable and visible. */
  async finish(): Promise<void> {
    if ((await this.#store()).stored) return;
    const message = `the store did not take ${this.key}: its upload is gone, or the name is. It is written again`;
    throw new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { key: this.key } });
  }

  async #store(): Promise<PutResult> {
    if (this.#upload === undefined)
      return await this.store.put(this.key, Buffer.concat(this.#chunks.splice(0)), this.options);
    return await this.store.complete(await this.#upload.seal(), this.options);
  }

  /** Forgets what was not finished. Never throws. */
  async abort(): Promise<void> {
    this.#chunks = [];
    await this.#upload?.abort().catch(() => undefined);
  }
}
