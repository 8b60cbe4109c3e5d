/** One file, opened where an earlier run stopped, after making sure that it is still the same. */
import { open, type FileHandle } from 'node:fs/promises';
import { EosError } from '../errors.js';
import type { Position, SourceIdentity } from '../positions.js';
import type { SourceBatch } from '../source.js';
import {
  edgesOnDisk,
  fileIdentity,
  judgeState,
  Prefix,
  shorterError,
  storedState,
  type FilePlace,
  type PrefixDigests,
  type StoredState,
} from './file-identity.js';
import { gzipInput, plainInput, unavailable, type GzipInput } from './file-input.js';
import { RecordReader } from './record-reader.js';
import type { Place, RecordFormat, RecordParser } from './records.js';
import { TextWindow, type ByteInput, type WindowOptions } from './text-window.js';

export interface FileSettings<Row> extends WindowOptions {
  readonly format: RecordFormat<Row>;
  readonly compression: 'gzip' | 'none' | undefined;
  readonly verify: 'digests' | 'full';
  readonly growing: boolean;
}

/** What is known of the end of the text, once it was seen. */
interface TextEnd {
  /** Where the last record ended. */
  readonly offset: number;
  /** What the file held on disk as it was read: one that is as long as this later has nothing new. */
  readonly size: number;
  readonly compressed: string | undefined;
}

export function isGzipFile({ path }: FilePlace, compression: 'gzip' | 'none' | undefined): boolean {
  return (compression ?? (path.endsWith('.gz') ? 'gzip' : 'none')) === 'gzip';
}

/** A file on its way from where reading starts to its end. */
export class OpenFile<Row> {
  readonly #isGzip: boolean;
  readonly #place: Place;
  readonly #parser: RecordParser<Row>;
  #prefix: Prefix;
  #input: ByteInput | GzipInput | undefined;
  #reader: RecordReader<Row> | undefined;
  #lastNext = 0;
  #end: TextEnd | undefined;
  #isClosed = false;

  private constructor(
    readonly handle: FileHandle,
    readonly file: FilePlace,
    readonly settings: FileSettings<Row>,
    private readonly check: () => void,
  ) {
    this.#isGzip = isGzipFile(file, settings.compression);
    this.#place = { partition: file.partition, offset: 0 };
    this.#parser = settings.format.parser(this.#place);
    this.#prefix = new Prefix(settings.verify === 'full');
  }

  /**
   * @param position where an earlier run stopped
   * @param check throws when reading is to stop: getting there may take long
   * @throws EOS_SOURCE_CHANGED where the file is not the one the position counts in, EOS_SOURCE_UNAVAILABLE
   */
  static async open<Row>(
    file: FilePlace,
    position: Position | undefined,
    settings: FileSettings<Row>,
    check: () => void,
  ): Promise<OpenFile<Row>> {
    const handle = await open(file.path, 'r').catch((error: unknown) => {
      throw unavailable(file, error);
    });
    const opened = new OpenFile(handle, file, settings, check);
    try {
      await opened.#start(position);
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** Whether an earlier run came to the end, and nothing was added since. */
  get isFinished(): boolean {
    return this.#reader === undefined;
  }

  /** At most `limit` rows; undefined at the end. */
  async read(limit: number): Promise<SourceBatch<Row> | undefined> {
    const reader = this.#reader;
    if (reader === undefined) return undefined;
    const batch = await reader.read(limit);
    const { text } = reader;
    // Looks whether that was the last one, so that a commit of it can say so.
    if (batch !== undefined && text.start === text.end) await text.more();
    if (text.isEnd && (batch === undefined || text.start === text.end)) await this.#sawEnd(text);
    return batch;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#input !== undefined && 'close' in this.#input) this.#input.close();
    await this.handle.close();
  }

  async #start(position: Position | undefined): Promise<void> {
    const size = await this.#size();
    if (position === undefined || position.offset === null || position.offset === 0n) {
      this.#readFrom(this.#textFrom(0, size));
      return;
    }
    const stored = storedState(this.file, position, position.offset);
    if (this.#isGzip || this.settings.verify === 'full') await this.#startByReading(stored, size);
    else await this.#startBySeeking(stored, size);
  }

  async #startBySeeking(stored: StoredState, size: number): Promise<void> {
    if (stored.offset > size) throw shorterError(this.file, stored, size);
    this.#prefix = await Prefix.of(this.handle, stored.offset);
    judgeState(this.file, stored, this.#prefix.snapshot()());
    if (stored.end && stored.size === size.toString()) return;
    const options = { ...this.settings, chunkBytes: Math.min(this.settings.chunkBytes, SMALL_CHUNK_BYTES) };
    await this.#learn(new TextWindow(plainInput(this.handle, this.file, 0), 0, this.#place, options));
    this.#parser.resume(this.#prefix.lastByte);
    this.#readFrom(this.#textFrom(stored.offset, size));
  }

  /** A gzip file has to be unpacked up to the offset, and one that is to be verified in full has to be read up to it. */
  async #startByReading(stored: StoredState, size: number): Promise<void> {
    const isSameSize = stored.end && stored.size === size.toString();
    if (this.#isGzip && this.settings.verify === 'digests' && isSameSize) {
      if (stored.compressed === (await edgesOnDisk(this.handle, size))) return;
    }
    const text = this.#textFrom(0, size);
    await this.#learn(text);
    await this.#skip(text, stored.offset);
    if (this.#prefix.offset < stored.offset) throw shorterError(this.file, stored, this.#prefix.offset);
    const compression = this.#isGzip ? ({ compression: 'gzip' } as const) : {};
    judgeState(this.file, stored, { ...compression, ...this.#prefix.snapshot()() });
    if (isSameSize && !this.#isGzip) return;
    this.#parser.resume(this.#prefix.lastByte);
    this.#readFrom(text);
  }

  async #learn(text: TextWindow): Promise<void> {
    while (this.#parser.learn?.(text) === false) await text.more();
  }

  async #skip(text: TextWindow, offset: number): Promise<void> {
    while (this.#prefix.offset < offset) {
      const to = Math.min(text.end, text.start + offset - this.#prefix.offset);
      this.#prefix.advance(text.buffer, text.start, to);
      text.start = to;
      if (this.#prefix.offset === offset || text.isEnd) return;
      this.check();
      await text.more();
    }
  }

  #textFrom(offset: number, size: number): TextWindow {
    const { handle, file, settings } = this;
    this.#input = this.#isGzip ? gzipInput(handle, file, settings.growing) : plainInput(handle, file, offset);
    // Many small files need no large buffers.
    const fitting = this.#isGzip ? Infinity : Math.max(SMALL_CHUNK_BYTES, size - offset + 1);
    const chunkBytes = Math.min(settings.chunkBytes, fitting);
    return new TextWindow(this.#input, offset, this.#place, { ...settings, chunkBytes });
  }

  #readFrom(text: TextWindow): void {
    this.#reader = new RecordReader(text, this.#parser, this.settings.format, this.#place, {
      taken: (buffer, from, to) => {
        this.#prefix.advance(buffer, from, to);
      },
      identity: (next) => {
        this.#lastNext = next;
        const digests = this.#prefix.snapshot();
        return () => this.#identity(next, digests);
      },
    });
  }

  async #sawEnd(text: TextWindow): Promise<void> {
    if (this.#end !== undefined) return;
    const input = this.#input;
    const size = input !== undefined && 'packedBytes' in input ? input.packedBytes : text.offsetOf(text.end);
    const compressed = this.#isGzip ? await edgesOnDisk(this.handle, size) : undefined;
    this.#end = { offset: this.#lastNext, size, compressed };
  }

  async #identity(next: number, digests: () => PrefixDigests): Promise<SourceIdentity> {
    const end = this.#end;
    if (end === undefined && this.#isClosed) {
      throw new EosError('EOS_CLOSED', `${this.file.path} was closed before its identity was asked for`);
    }
    const size = end?.size ?? (await this.#size());
    if (!this.#isGzip && size < next) throw shorterError(this.file, { offset: next }, size);
    return fileIdentity({
      ...digests(),
      size,
      ...(this.#isGzip ? { compression: 'gzip' } : {}),
      ...(end?.offset === next ? { end: true } : {}),
      ...(end?.offset === next && end.compressed !== undefined ? { compressed: end.compressed } : {}),
    });
  }

  async #size(): Promise<number> {
    const found = await this.handle.stat().catch((error: unknown) => {
      throw unavailable(this.file, error);
    });
    return found.size;
  }
}

/** How much is read at once of a small file, and for what stands at a file's start. */
const SMALL_CHUNK_BYTES = 64 * 1024;
