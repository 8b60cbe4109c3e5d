import { packedColumn, type BytesColumn } from '../client/records.js';

/** Collects texts, and writes them as one block of UTF-8: one conversion for all of them, not one each. */
export class TextColumn {
  #text = '';
  readonly #ends: number[] = [];
  #nulls: number[] | undefined;

  add(text: string): void {
    this.#text += text;
    this.#ends.push(this.#text.length);
  }

  addNull(): void {
    (this.#nulls ??= []).push(this.#ends.length);
    this.#ends.push(this.#text.length);
  }

  build(): BytesColumn {
    const bytes = Buffer.from(this.#text);
    const bounds = new Int32Array(this.#ends.length + 1);
    bounds.set(this.#ends, 1);
    // Where every character is one byte, which is the rule, characters and bytes have the same bounds.
    if (bytes.length !== this.#text.length) toByteBounds(this.#text, bounds);
    if (this.#nulls === undefined) return packedColumn(bytes, bounds);
    const nulls = new Uint8Array(this.#ends.length);
    for (const index of this.#nulls) nulls[index] = 1;
    return packedColumn(bytes, bounds, nulls);
  }
}

function toByteBounds(text: string, bounds: Int32Array): void {
  let start = 0;
  let at = 0;
  for (let index = 1; index < bounds.length; index++) {
    const end = bounds[index] ?? 0;
    at += Buffer.byteLength(text.slice(start, end));
    bounds[index] = at;
    start = end;
  }
}
