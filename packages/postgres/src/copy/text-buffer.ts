/** Bytes of text in the making. Short strings are copied here: one by one, a call into the runtime costs more than the copying. */

/** Bytes before the text, for the head of the message that it will travel in. */
export const HEAD_BYTES = 5;

/** How many bytes travel at a time: enough for few system calls, and few enough that the server starts early. */
const BLOCK_BYTES = 65_536;

/** Beyond a block, so that the row that fills it as a rule needs no more room. */
export const ROOM_BYTES = BLOCK_BYTES + 8_192;

/** Up to here copying here is faster. */
const SHORT = 48;

/** Until there is something to add: every transaction ends with a buffer that nothing is added to. */
const NOTHING = Buffer.alloc(0);

/**
 * Blocks to be filled again. One that is kept for as long as a transaction has grown old by then, and goes only when the engine looks
 * through all that is alive, which new ones make it do.
 */
const free: Buffer[] = [];

/** As many as a transaction of ordinary size fills: 2.3 MB. */
const FREE_BLOCKS = 32;

/** Takes a block back that nobody will look at again: the server has answered for what was in it. */
export function recycle({ buffer, byteOffset }: Buffer): void {
  const isOneOfOurs = byteOffset === 0 && buffer.byteLength === ROOM_BYTES;
  if (isOneOfOurs && free.length < FREE_BLOCKS) free.push(Buffer.from(buffer));
}

export class TextBuffer {
  private bytes: Buffer = NOTHING;
  private end = HEAD_BYTES;

  /** @param room bytes to begin with, of which there are twice as many each time that they do not do */
  constructor(public room = ROOM_BYTES) {}

  /** How many bytes were added. */
  get length(): number {
    return this.end - HEAD_BYTES;
  }

  get isFull(): boolean {
    return this.end >= BLOCK_BYTES;
  }

  /** Where the next byte goes: to be kept for {@link cut}. */
  get mark(): number {
    return this.end;
  }

  /** Takes back what was added since `mark`, with no `take` between. */
  cut(mark: number): void {
    this.end = mark;
  }

  /** Adds text. */
  add(text: string): void {
    const { length } = text;
    // No character takes more than three bytes a code unit.
    if (this.end + 3 * length > this.bytes.length) this.grow(3 * length);
    const { bytes, end } = this;
    if (length > SHORT) {
      this.end += bytes.write(text, end);
      return;
    }
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        this.end += bytes.write(text, end);
        return;
      }
      bytes[end + index] = code;
    }
    this.end += length;
  }

  /** Adds one character of ASCII. */
  addByte(code: number): void {
    if (this.end >= this.bytes.length) this.grow(1);
    this.bytes[this.end] = code;
    this.end += 1;
  }

  /** What was added, behind {@link HEAD_BYTES} free bytes. The buffer is then empty. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.end);
    this.bytes = NOTHING;
    this.end = HEAD_BYTES;
    return taken;
  }

  /** The same, or undefined where nothing was added. */
  takeRest(): Buffer | undefined {
    return this.end === HEAD_BYTES ? undefined : this.take();
  }

  private grow(needed: number): void {
    if (this.bytes === NOTHING && this.room === ROOM_BYTES && HEAD_BYTES + needed <= ROOM_BYTES) {
      this.bytes = free.pop() ?? Buffer.allocUnsafeSlow(ROOM_BYTES);
      return;
    }
    const larger = Buffer.allocUnsafe(Math.max(this.room, 2 * this.bytes.length + needed));
    this.bytes.copy(larger, 0, 0, Math.min(this.end, this.bytes.length));
    this.bytes = larger;
  }
}
