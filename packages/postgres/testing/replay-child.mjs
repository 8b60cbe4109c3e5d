/** A replay in a process of its own, from what was built. */
import { postgresSink } from '@eos/postgres';

const [url] = process.argv.slice(2);
const sink = postgresSink({ connection: url, table: 'flights', badRows: 'dead-letter' });
const letters = await sink.abilities.deadLetters({ pipeline: 'orders', sink: 'flights' });
await letters.replay();
await letters.close();
