import { writeFile } from 'node:fs/promises';
import { systemFiles, type Files } from './files.js';

/** Without waiting for the disk, which matters to a loss of power only: for tests of what dies is a process. */
export const unsyncedFiles: Files = {
  ...systemFiles,
  create: (path, body) => writeFile(path, body, { flag: 'wx' }),
  syncFolder: async () => undefined,
  open: async (path) => ({ ...(await systemFiles.open(path)), sync: async () => undefined }),
};

/** Every call of the file system that changes something, with what it is called with; files that are appended to included. */
export interface FileCall {
  readonly name: string;
  readonly paths: readonly string[];
}

type Step = (call: FileCall, run: () => Promise<unknown>) => Promise<unknown>;

/** The file system with a say before and after each call. */
export function filesWith(step: Step, files: Files = systemFiles): Files {
  const wrap = <Arguments extends unknown[], Result>(
    name: string,
    call: (...args: Arguments) => Promise<Result>,
  ) => {
    return async (...args: Arguments): Promise<Result> => {
      const paths = args.filter((argument) => typeof argument === 'string');
      // The step gives back what the call did.
      return (await step({ name, paths }, () => call(...args))) as Result;
    };
  };
  return {
    create: wrap('create', files.create),
    readFile: wrap('readFile', files.readFile),
    readAt: wrap('readAt', files.readAt),
    stat: wrap('stat', files.stat),
    entries: wrap('entries', files.entries),
    link: wrap('link', files.link),
    rename: wrap('rename', files.rename),
    unlink: wrap('unlink', files.unlink),
    makeFolder: wrap('makeFolder', files.makeFolder),
    removeFolder: wrap('removeFolder', files.removeFolder),
    remove: wrap('remove', files.remove),
    syncFolder: wrap('syncFolder', files.syncFolder),
    open: async (path) => {
      const file = await wrap('open', files.open)(path);
      return {
        append: wrap('append', (bytes: Uint8Array) => file.append(bytes)),
        sync: wrap('sync', () => file.sync()),
        close: wrap('close', () => file.close()),
      };
    },
  };
}

/** A process that dies at its n-th call (from 0), before or after it took effect: from then on nothing happens any more. */
export function dyingFiles(deathAt: number, moment: 'before' | 'after') {
  let count = 0;
  let die: () => void = () => undefined;
  const died = new Promise<'died'>((resolve) => (die = () => resolve('died')));
  const never = new Promise<never>(() => undefined);
  const files = filesWith(async (_call, run) => {
    const index = count++;
    if (index < deathAt) return await run();
    if (index === deathAt && moment === 'after') await run().catch(() => undefined);
    die();
    return await never;
  }, unsyncedFiles);
  return { files, died };
}
