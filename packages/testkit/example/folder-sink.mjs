/**
 * A whole sink: rows in the files of a folder, written by as many processes as like. Each pipeline has a log there: the entries 0,
 * 1, 2, … are files made by `link`, which fails where there is one of that name. So a claim or a commit lands only right behind
 * the entries that its author has read: that is the compare-and-set, and the barrier. For brevity the log only grows and nothing
 * is synced: it outlives every process, but not a power cut.
 */
import { createHash, randomUUID } from 'node:crypto';
import * as nodeFiles from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { defineSink, initialPosition, judgeClaim, judgeCommit } from '@eos/core';

/** @param files what reads and writes: a test puts a bad network there */
export function folderSink({ folder, files = nodeFiles }) {
  const capabilities = {
    changelog: 'append',
    atomic: 'transaction',
    staging: true,
    deadLetters: false,
    durable: true,
  };
  return defineSink({
    description: `folder ${folder}`,
    capabilities,
    async connect({ pipeline, sink }) {
      // Names may be longer than those of files, and differ in case only.
      const name = createHash('sha256').update(`${pipeline}/${sink}`).digest('hex');
      const [logs, rows] = [join(folder, 'logs', name), join(folder, 'rows')];
      for (const path of [logs, rows]) await files.mkdir(path, { recursive: true });
      return driver(openLog(logs, files), rows, files);
    },
  });
}

function driver(log, folder, files) {
  return {
    positions: async (partitions) =>
      new Map([...(await log.read()).positions].filter(([name]) => partitions?.includes(name) ?? true)),
    async recover({ partitions, owner, replacing }) {
      const claimed = (found, name) => {
        judgeClaim(name, found.get(name), replacing.get(name));
        return [name, { ...(found.get(name) ?? initialPosition(owner, 'folder')), owner }];
      };
      const positions = await log.append(
        [],
        (found) => new Map(partitions.map((name) => claimed(found, name))),
      );
      return { positions, begin: async () => transaction(log, folder, files), close: async () => {} };
    },
    close: async () => {},
  };
}

/** A file for each batch. Nobody looks at it before an entry of the log names it. */
function transaction(log, folder, files) {
  const names = [];
  return {
    async write({ rows }) {
      names.push(randomUUID());
      await files.writeFile(join(folder, names.at(-1)), serialize(rows));
    },
    prepare: async () => {},
    async commit({ from, next }) {
      await log.append(names, (found) => {
        for (const [name, position] of from) judgeCommit(name, found.get(name), position);
        return next;
      });
    },
    rollback: async () =>
      void (await Promise.all(names.map((name) => files.rm(join(folder, name), { force: true })))),
  };
}

function openLog(folder, files) {
  const nothing = { length: 0, id: undefined, positions: new Map() };
  let known = nothing;
  const entry = (number) => files.readFile(join(folder, String(number))).then(deserialize, unless('ENOENT'));
  return {
    /** Reads on; from the start where what was read is not there any more, as after a restored backup. */
    async read() {
      let { length, id, positions } = known;
      if (length > 0 && (await entry(length - 1))?.id !== id) ({ length, id, positions } = nothing);
      for (let next; (next = await entry(length)) !== undefined; length++)
        [id, positions] = [next.id, new Map([...positions, ...next.positions])];
      return (known = { length, id, positions });
    },
    /** Puts an entry behind those that `decide` is shown; where another comes first, it decides again. It throws, or says what to store. */
    async append(rows, decide) {
      const draft = join(folder, randomUUID());
      for (;;) {
        const { length, positions } = await this.read();
        const stored = decide(positions);
        await files.writeFile(draft, serialize({ id: randomUUID(), positions: stored, rows }));
        const isTaken = await files
          .link(draft, join(folder, String(length)))
          .then(() => false, unless('EEXIST', true));
        await files.rm(draft);
        if (!isTaken) return stored;
      }
    },
  };
}

/** Turns one error into a value, and throws any other: what did not come back from `link` has an unknown outcome. */
function unless(code, value) {
  return (error) => {
    if (error.code === code) return value;
    throw error;
  };
}
