/** Data files as entries and manifests record them. */
import type { CanonicalValue, JsonValue } from '@eos/core';
import type { SealedUpload, UploadedPart } from '@eos/object-store';
import type { ColumnRange, DataFile } from '../files/data-files.js';
import { count, fieldsOf, isJson, isObject, list, malformed, members, text, type Fields } from './fields.js';

/** For `canonicalText`. */
export function fileValue(file: DataFile): CanonicalValue {
  const { path, bytes, rows, sha256, partition, columns, upload } = file;
  return {
    path,
    bytes,
    rows,
    sha256,
    ...(partition === undefined ? {} : { partition }),
    ...(columns === undefined ? {} : { columns: columnsValue(columns) }),
    ...(upload === undefined ? {} : { upload: uploadValue(upload) }),
  };
}

function columnsValue(columns: Readonly<Record<string, ColumnRange>>): CanonicalValue {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { min, max, nulls }]) => [name, { min, max, nulls }]),
  );
}

function uploadValue({ key, id, bytes, sha256, nonce, parts }: SealedUpload): CanonicalValue {
  const partValues = parts?.map(({ etag, crc32 }) => ({ etag, crc32 }));
  return { key, id, bytes, sha256, nonce, parts: partValues };
}

/** @throws EOS_FORMAT */
export function readFile(value: unknown, from: string): DataFile {
  const fields = fieldsOf(value, from);
  const { partition, columns, upload } = fields.values;
  return {
    path: text(fields, 'path'),
    bytes: count(fields, 'bytes'),
    rows: count(fields, 'rows'),
    sha256: text(fields, 'sha256'),
    ...(partition === undefined ? {} : { partition: readPartition(fields) }),
    ...(columns === undefined ? {} : { columns: readColumns(fields) }),
    ...(upload === undefined ? {} : { upload: readUpload(fieldsOf(upload, from)) }),
  };
}

function readPartition(fields: Fields): Record<string, string | null> {
  const values = members(fields, 'partition').map(([name, value]): [string, string | null] => {
    if (value === null || typeof value === 'string') return [name, value];
    throw malformed(fields.from, 'has no valid partition (text or null)');
  });
  return Object.fromEntries(values);
}

function readColumns(fields: Fields): Record<string, ColumnRange> {
  const ranges = members(fields, 'columns').map(([name, value]): [string, ColumnRange] => {
    const range = fieldsOf(value, fields.from);
    const { nulls } = range.values;
    return [
      name,
      {
        ...bound(range, 'min'),
        ...bound(range, 'max'),
        ...(nulls === undefined ? {} : { nulls: count(range, 'nulls') }),
      },
    ];
  });
  return Object.fromEntries(ranges);
}

function bound({ values }: Fields, name: 'min' | 'max'): Partial<Record<'min' | 'max', JsonValue>> {
  const value = values[name];
  return isJson(value) ? { [name]: value } : {};
}

function readUpload(fields: Fields): SealedUpload {
  const { nonce, parts } = fields.values;
  return {
    key: text(fields, 'key'),
    id: text(fields, 'id'),
    bytes: count(fields, 'bytes'),
    sha256: text(fields, 'sha256'),
    ...(nonce === undefined ? {} : { nonce: text(fields, 'nonce') }),
    ...(parts === undefined
      ? {}
      : { parts: list(fields, 'parts').map((part) => readPart(part, fields.from)) }),
  };
}

function readPart(value: unknown, from: string): UploadedPart {
  const fields = fieldsOf(isObject(value) ? value : undefined, from);
  const { crc32 } = fields.values;
  return { etag: text(fields, 'etag'), ...(crc32 === undefined ? {} : { crc32: text(fields, 'crc32') }) };
}
