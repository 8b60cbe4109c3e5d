/** Sources of files: many files are read one after the other. */
import { EosError } from '../errors.js';
import type { Position, Positions } from '../positions.js';
import type { Assignment, ReadLimit, Source, SourceBatch, SourceReader } from '../source.js';
import type { FilePlace } from './file-identity.js';
import { fileLag } from './file-lag.js';
import { listFiles } from './files.js';
import { locateByReading } from './locate.js';
import { abortedError, closedError, rowLimit, unknownPartition } from './reader-errors.js';
import { isGzipFile, OpenFile, type FileSettings } from './open-file.js';
import { changelogOf, windowOptions, type RecordOptions } from './record-options.js';
import type { RecordFormat } from './records.js';

/** How many files are claimed together: each has a position of its own at the destination. */
const FILES_PER_ASSIGNMENT = 100;

export interface FileSourceOptions extends RecordOptions {
  /**
   * A file, several, or a folder: read with all below it, in the byte order of the path, without what begins with a dot or an
   * underscore (such as `_SUCCESS`). Several are read in the order given. The files are listed when a run starts. Links are
   * followed; a file that is there twice through one is EOS_CONFIG.
   */
  readonly path: string | readonly string[];
  /**
   * The folder below which a file's path, with `/`, is the name of its partition. Default: the folder that `path` names, or that
   * its files lie in. Where that is more than one folder, `root` is required (else EOS_CONFIG): a position is stored under that
   * name, and names from a common folder would change with the list, and the files be read again.
   */
  readonly root?: string;
  /** How the names of a folder's files end, such as `.ndjson`: others are left out. A file that `path` names itself is read in any case. Default: any. */
  readonly extension?: string | readonly string[];
  /** Default: `gzip` for a name that ends in `.gz`. Offsets then count in the text that is packed, which is unpacked from the start again. */
  readonly compression?: 'gzip' | 'none';
  /**
   * How a file is known again. `digests` (default): by its first 4 KiB and by the 4 KiB in front of the offset. `full`: by all in
   * front of the offset, for which it is read again at each start.
   */
  readonly verify?: 'digests' | 'full';
}

/** @throws EOS_CONFIG */
export function fileSource<Row>(options: FileSourceOptions, format: RecordFormat<Row>): Source<Row> {
  const { path, root, compression, verify = 'digests', growing = false } = options;
  const paths = typeof path === 'string' ? [path] : [...path];
  if (paths.length === 0 || paths.some((one) => one === ''))
    throw new EosError('EOS_CONFIG', 'path must name a file or folder');
  const extensions = extensionsOf(options);
  const settings = { ...windowOptions(options), format, compression, verify, growing };
  const description = `${format.name} ${paths.length === 1 ? String(paths[0]) : `${paths.length} paths`}`;
  return {
    description,
    changelog: changelogOf(options),
    replayable: true,
    async locate(partition, mark, { signal }) {
      const file = (await listFiles(paths, { root, extensions })).find((one) => one.partition === partition);
      if (file === undefined) throw unknownPartition(description, partition);
      return await locateByReading(assignmentOf([file], settings), mark, signal);
    },
    abilities: {
      lag: async (positions) =>
        fileLag(await listFiles(paths, { root, extensions }), positions, (file) =>
          isGzipFile(file, compression),
        ),
    },
    async *assignments() {
      const files = await listFiles(paths, { root, extensions });
      for (let from = 0; from < files.length; from += FILES_PER_ASSIGNMENT) {
        yield assignmentOf(files.slice(from, from + FILES_PER_ASSIGNMENT), settings);
      }
    },
  };
}

function extensionsOf({ extension = [] }: FileSourceOptions): readonly string[] {
  const extensions = typeof extension === 'string' ? [extension] : [...extension];
  if (extensions.every((one) => one.startsWith('.') && one.length > 1)) return extensions;
  throw new EosError('EOS_CONFIG', 'extension must begin with a dot, such as .ndjson');
}

function assignmentOf<Row>(files: readonly FilePlace[], settings: FileSettings<Row>): Assignment<Row> {
  return {
    partitions: files.map(({ partition }) => partition),
    open: (positions, signal) => FilesReader.open(files, settings, positions, signal),
  };
}

class FilesReader<Row> implements SourceReader<Row> {
  #current: OpenFile<Row> | undefined;
  #next = 0;
  #isClosed = false;

  private constructor(
    private readonly waiting: readonly FilePlace[],
    private readonly settings: FileSettings<Row>,
    private readonly positions: Positions,
    private readonly signal: AbortSignal,
  ) {}

  /** Judges every file that has a position before the first row is read, and keeps the first that is not finished open. */
  static async open<Row>(
    files: readonly FilePlace[],
    settings: FileSettings<Row>,
    positions: Positions,
    signal: AbortSignal,
  ): Promise<FilesReader<Row>> {
    const waiting: FilePlace[] = [];
    const checkSignal = () => {
      if (signal.aborted) throw abortedError();
    };
    let current: OpenFile<Row> | undefined;
    try {
      for (const file of files) {
        checkSignal();
        const position = readPosition(positions, file);
        if (position === undefined) {
          waiting.push(file);
          continue;
        }
        const opened = await OpenFile.open(file, position, settings, checkSignal);
        if (opened.isFinished) await opened.close();
        else if (current === undefined && waiting.length === 0) current = opened;
        else {
          await opened.close();
          waiting.push(file);
        }
      }
    } catch (error) {
      await current?.close();
      throw error;
    }
    const reader = new FilesReader(waiting, settings, positions, signal);
    reader.#current = current;
    return reader;
  }

  async read(limit: ReadLimit): Promise<SourceBatch<Row> | undefined> {
    try {
      return await this.#read(rowLimit(limit));
    } catch (error) {
      // A file that was closed under a pending read fails in a way of its own.
      this.#checkOpen();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#current?.close();
  }

  async #read(rows: number): Promise<SourceBatch<Row> | undefined> {
    for (;;) {
      this.#checkOpen();
      this.#current ??= await this.#openNext();
      if (this.#current === undefined) return undefined;
      const batch = await this.#current.read(rows);
      this.#checkOpen();
      if (batch !== undefined) return batch;
      await this.#current.close();
      this.#current = undefined;
    }
  }

  async #openNext(): Promise<OpenFile<Row> | undefined> {
    const file = this.waiting[this.#next++];
    if (file === undefined) return undefined;
    const position = readPosition(this.positions, file);
    const opened = await OpenFile.open(file, position, this.settings, () => {
      this.#checkOpen();
    });
    if (this.#isClosed) await opened.close();
    return opened;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closedError();
    if (this.signal.aborted) throw abortedError();
  }
}

function readPosition(positions: Positions, { partition }: FilePlace): Position | undefined {
  const position = positions.get(partition);
  return position === undefined || position.offset === null ? undefined : position;
}
