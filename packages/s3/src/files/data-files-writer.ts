/** The data files of one transaction: rows go to the open file of their folder, files end as the options say. */
import { randomUUID } from 'node:crypto';
import type { ChangeBatch } from '@eos/core';
import { inOrder } from '../in-order.js';
import { seqText } from '../log/keys.js';
import type { DataFile, DataFiles, DataFilesPlace } from './data-files.js';
import { extensionOf, fileWriter, type FileWriter } from './file-writer.js';
import { folderBatches, type Folder } from './partition-folders.js';
import type { FileSettings } from './settings.js';

/** How many folders have an open file at once; the file that was written to least recently then ends. */
const OPEN_FOLDERS = 16;
/** How many files are stored at a time when a transaction ends: far from the store, each takes round trips. */
const STORED_AT_ONCE = 8;

interface OpenFile {
  readonly folder: Folder;
  readonly path: string;
  readonly writer: FileWriter;
}

interface EndedFile {
  readonly file: DataFile;
  readonly writer: FileWriter;
}

/**
 * Memory: of each of at most 16 open files, what its format and its upload hold (up to 8 MiB of a small file, one row group of Parquet and
 * the parts under way), and a few hundred bytes for each file that has ended.
 */
export function createDataFiles<Row>(place: DataFilesPlace, settings: FileSettings): DataFiles<Row> {
  const { store: objects, prefix, seen, pending } = place;
  const route = folderBatches(settings);
  const { roll } = settings;
  const extension = extensionOf(settings);
  /** By folder, the least recently used first. */
  const open = new Map<string, OpenFile>();
  const ended: EndedFile[] = [];
  /** Being stored, or failed at it, or not yet among those that have ended. */
  const storing = new Set<FileWriter>();
  let isAborted = false;

  const openFile = async (folder: Folder): Promise<OpenFile> => {
    const found = open.get(folder.path);
    if (found !== undefined) {
      open.delete(folder.path);
      open.set(folder.path, found);
      return found;
    }
    const [oldest] = open.values();
    if (open.size >= OPEN_FOLDERS && oldest !== undefined) await end(oldest);
    const path = `${folder.path}${seqText(seen)}-${randomUUID()}.${extension}`;
    const file = { folder, path, writer: await fileWriter(settings, objects, prefix + path, pending) };
    open.set(folder.path, file);
    return file;
  };

  /** Asked for one by one: no more is stored once all is given up. */
  function* stillOpen(): Generator<OpenFile> {
    for (const file of [...open.values()]) if (!isAborted) yield file;
  }

  const store = async ({ folder, path, writer }: OpenFile): Promise<EndedFile> => {
    open.delete(folder.path);
    storing.add(writer);
    const { rows } = writer;
    const stored = await writer.store();
    const partition = Object.keys(folder.values).length === 0 ? {} : { partition: folder.values };
    return { writer, file: { path, rows, ...partition, ...stored } };
  };

  const add = (file: EndedFile): void => {
    ended.push(file);
    storing.delete(file.writer);
  };

  const end = async (file: OpenFile): Promise<void> => add(await store(file));

  const mustRoll = (writer: FileWriter): boolean =>
    writer.rows >= roll.rows ||
    writer.bytes >= roll.bytes ||
    performance.now() - writer.startedAt >= roll.milliseconds;

  async function writeTo(folder: Folder, batch: ChangeBatch<unknown>): Promise<void> {
    for (let start = 0; start < batch.rows.length;) {
      const file = await openFile(folder);
      // Also while it was opened.
      if (isAborted) return;
      const room = Math.min(roll.rows - file.writer.rows, ROWS_AT_ONCE);
      const next = Math.min(batch.rows.length, start + room);
      await file.writer.write(batch, start, next);
      if (mustRoll(file.writer)) await end(file);
      start = next;
    }
  }

  return {
    async write(batch) {
      for (const part of route(batch)) await writeTo(part.folder, part.batch);
    },
    async seal() {
      for await (const file of inOrder(stillOpen(), STORED_AT_ONCE, store)) add(file);
      return ended.map(({ file }) => file);
    },
    async abort() {
      isAborted = true;
      const writers = [
        ...[...open.values()].map(({ writer }) => writer),
        ...storing,
        ...ended.map(({ writer }) => writer),
      ];
      open.clear();
      await Promise.all(writers.map((writer) => writer.abort()));
    },
  };
}

/** How many rows are written between two looks at the size of the file. */
const ROWS_AT_ONCE = 4_096;
