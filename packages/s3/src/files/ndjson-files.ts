/** One file of NDJSON for each transaction. */
import { createHash, randomUUID } from 'node:crypto';
import { OP_NAMES, type ChangeBatch } from '@eos/core';
import type { Upload } from '@eos/object-store';
import { seqText } from '../log/keys.js';
import type { DataFile, DataFiles, DataFilesPlace } from './data-files.js';

const PART = 8 * 2 ** 20;

export function ndjsonFiles<Row>(place: DataFilesPlace, mode: 'append' | 'upsert'): DataFiles<Row> {
  const { store, prefix, seen, pending } = place;
  const path = `${seqText(seen)}-${randomUUID()}.ndjson`;
  const hash = createHash('sha256');
  let chunks: Buffer[] = [];
  let held = 0;
  let bytes = 0;
  let rows = 0;
  let upload: Upload | undefined;
  let isStored = false;
  const flush = async () => {
    upload ??= await store.createUpload(prefix + path);
    await upload.write(Buffer.concat(chunks));
    [chunks, held] = [[], 0];
  };
  return {
    async write(batch: ChangeBatch<Row>) {
      const text = batch.rows
        .map((row, index) => {
          const op = OP_NAMES[batch.ops?.[index] ?? 0];
          return `${JSON.stringify(mode === 'upsert' ? { _op: op, ...row } : row, plain)}\n`;
        })
        .join('');
      const chunk = Buffer.from(text);
      hash.update(chunk);
      chunks.push(chunk);
      held += chunk.length;
      bytes += chunk.length;
      rows += batch.rows.length;
      if (held >= PART) await flush();
    },
    async seal(): Promise<readonly DataFile[]> {
      if (rows === 0) return [];
      const file = { path, bytes, rows, sha256: hash.digest('hex') };
      if (pending || upload !== undefined) {
        await flush();
        const sealed = await upload?.seal();
        if (sealed === undefined) throw new Error('unreachable');
        if (pending) return [{ ...file, upload: sealed }];
        await store.complete(sealed);
      } else {
        isStored = true;
        // Nobody else has the name: on a disk this is the cheapest way.
        await store.put(prefix + path, Buffer.concat(chunks), { condition: { ifAbsent: true } });
      }
      return [file];
    },
    async abort() {
      await upload?.abort().catch(() => undefined);
      if (isStored) await store.delete([prefix + path]).catch(() => undefined);
    },
  };
}

function plain(this: unknown, key: string, value: unknown): unknown {
  const raw: unknown = typeof this === 'object' && this !== null ? Reflect.get(this, key) : value;
  if (typeof raw === 'bigint') return raw.toString();
  if (raw instanceof Date) return (BigInt(raw.getTime()) * 1000n).toString();
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('base64');
  if (typeof raw === 'number' && !Number.isFinite(raw)) return String(raw);
  return value;
}
