/** What the server would show of values of types that only it knows. */
import { lineFields } from '@eos/core';
import { escapeField } from './compared-columns.js';
import type { Link } from '../connection/connection.js';
import { isServerError } from '../connection/error-map.js';
import { literal } from '../connection/identifiers.js';

/** Texts that are asked for at a time, and remembered: values of such types tend to come again. Bounds memory. */
const REMEMBERED = 10_000;

export interface ServerForms {
  /** Asks for these fields of COPY text, as far as they are not known. */
  ask(fields: Iterable<string>): Promise<void>;
  /** The field that the server shows; undefined for one that it refuses. Only for what was asked last. */
  of(field: string): string | undefined;
}

/**
 * @param link a connection in no transaction: a refused value would end it
 * @param sqlType of the column, below any domain
 */
export function serverForms(link: () => Promise<Link>, sqlType: string): ServerForms {
  const known = new Map<string, string | undefined>();
  return {
    async ask(fields) {
      const wanted = new Set([...fields].filter((field) => !known.has(field)));
      if (wanted.size === 0) return;
      if (known.size + wanted.size > REMEMBERED) {
        known.clear();
        for (const field of fields) wanted.add(field);
      }
      await learn(await link(), sqlType, [...wanted], known);
    },
    of: (field) => known.get(field),
  };
}

/** Where the server refuses one of several, halves are asked for, down to the one. */
async function learn(
  link: Link,
  sqlType: string,
  fields: readonly string[],
  known: Map<string, string | undefined>,
): Promise<void> {
  const texts = fields.map((field) => literal(lineFields(Buffer.from(field))[0] ?? ''));
  try {
    const [answer] = await link.run(
      `SELECT v::${sqlType}::pg_catalog.text FROM pg_catalog.unnest(ARRAY[${texts.join(', ')}]::pg_catalog.text[])
         WITH ORDINALITY AS u(v, place) ORDER BY place`,
    );
    fields.forEach((field, index) => {
      const text = answer?.rows[index]?.[0];
      known.set(field, typeof text === 'string' ? escapeField(text) : undefined);
    });
  } catch (error) {
    if (!isServerError(error) || error.severity !== 'ERROR') throw error;
    if (fields.length <= 1) {
      for (const field of fields) known.set(field, undefined);
      return;
    }
    const middle = fields.length >> 1;
    await learn(link, sqlType, fields.slice(0, middle), known);
    await learn(link, sqlType, fields.slice(middle), known);
  }
}
