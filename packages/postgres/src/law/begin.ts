/** Transactions under the isolation that the code is written for. */
import type { Link } from '../connection/connection.js';

/** Begins every transaction that writes: what the defaults of the server, database or role might be must not decide. */
export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';

/** Statements that are all done, or none. */
export async function inTransaction(link: Link, text: string): Promise<void> {
  await link.run(`${BEGIN}; ${text}; COMMIT`).catch(async (error: unknown) => {
    await link.run('ROLLBACK').catch(() => undefined);
    throw error;
  });
}
