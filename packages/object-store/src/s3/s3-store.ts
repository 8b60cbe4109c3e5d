import { checkComplete, checkList, checkPut, checkRange, closedError } from '../checks.js';
import { checkKey } from '../keys.js';
import type { ListOptions, ObjectStore } from '../object-store.js';
import { uploadLifetime } from './lifecycle.js';
import { bucketOf, type S3ObjectStoreOptions } from './options.js';
import { putObject } from './puts.js';
import { deleteObjects, getObject, headObject, listObjects, readRange } from './reads.js';
import { abortUpload, completeUpload, createUpload, listUploads } from './uploads.js';

/**
 * An object store in a bucket of S3, or of a service that speaks its protocol and takes conditional writes in earnest:
 * `probeObjectStore` looks for those that do not. Bodies travel with a CRC-32 that the service verifies. Uploads are multipart
 * uploads: a lifecycle rule that aborts them makes them vanish.
 * @throws EOS_CONFIG for a wrong option
 */
export function s3ObjectStore(options: S3ObjectStoreOptions): ObjectStore {
  const target = bucketOf(options);
  const description = `object store s3://${target.bucket}/${target.prefix}`;
  let isClosed = false;
  const check = () => {
    if (isClosed) throw closedError(description);
  };
  const checked = async <T>(key: string, call: () => Promise<T>): Promise<T> => {
    check();
    checkKey(key);
    return await call();
  };
  return {
    description,
    get: (key) => checked(key, () => getObject(target, key)),
    read: (key, range) =>
      checked(key, async () => {
        checkRange(range);
        return await readRange(target, key, range);
      }),
    head: (key) => checked(key, () => headObject(target, key)),
    put: (key, body, settings = {}) =>
      checked(key, async () => {
        checkPut(key, settings);
        // The client may send it again, after the caller has used it for something else.
        return await putObject(target, key, Buffer.from(body), settings.condition);
      }),
    async *list(settings: ListOptions = {}) {
      check();
      for await (const page of listObjects(target, checkList(settings))) {
        yield page;
        check();
      }
    },
    async delete(keys) {
      check();
      for (const key of keys) checkKey(key);
      await deleteObjects(target, keys);
    },
    createUpload: (key) => checked(key, () => createUpload(target, key, check)),
    complete: (upload, settings = {}) =>
      checked(upload.key, async () => {
        checkComplete(upload.key, settings);
        return await completeUpload(target, upload, settings);
      }),
    async abortUploads(uploads) {
      check();
      for (const upload of uploads) await abortUpload(target, upload);
    },
    async *listUploads({ prefix = '' } = {}) {
      check();
      for await (const page of listUploads(target, prefix)) {
        yield page;
        check();
      }
    },
    async uploadLifetime(prefix) {
      check();
      return await uploadLifetime(target, prefix);
    },
    async close() {
      isClosed = true;
      if (target.ownsClient) target.client.destroy();
    },
  };
}
