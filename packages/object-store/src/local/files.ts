/** The few calls of the file system that a store is made of. Tests stop a store before and after each of them. */
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';

export interface Files {
  /** Makes a new file, durable but for its name. */
  readonly create: (path: string, body: Uint8Array) => Promise<void>;
  /** Opens a new file to append to. */
  readonly open: (path: string) => Promise<AppendedFile>;
  readonly readFile: (path: string) => Promise<Buffer>;
  /** Reads from a position, as far as the file goes. */
  readonly readAt: (
    path: string,
    rangeOf: (bytes: number) => { readonly start: number; readonly end: number },
  ) => Promise<Buffer>;
  readonly stat: (path: string) => Promise<FileFacts>;
  readonly entries: (folder: string) => Promise<readonly FolderEntry[]>;
  /** Fails with EEXIST where `to` is there. */
  readonly link: (from: string, to: string) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly unlink: (path: string) => Promise<void>;
  readonly makeFolder: (path: string) => Promise<void>;
  readonly removeFolder: (path: string) => Promise<void>;
  /** Removes a file or a folder with what is in it; none is no error. */
  readonly remove: (path: string) => Promise<void>;
  /** Makes the names in a folder durable. */
  readonly syncFolder: (path: string) => Promise<void>;
}

export interface AppendedFile {
  readonly append: (bytes: Uint8Array) => Promise<void>;
  /** Makes the body durable. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface FileFacts {
  readonly bytes: number;
  readonly lastModified: Date;
  /** The same for two names of one file. */
  readonly identity: string;
  /** How many names it has. */
  readonly names: number;
  readonly isFile: boolean;
}

export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

async function appended(path: string): Promise<AppendedFile> {
  const handle = await open(path, 'wx');
  return {
    async append(bytes) {
      for (let done = 0; done < bytes.length;)
        done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** The file system. */
export const systemFiles: Files = {
  async create(path, body) {
    const file = await appended(path);
    try {
      await file.append(body);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  open: appended,
  readFile: (path) => readFile(path),
  async readAt(path, rangeOf) {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const { start, end } = rangeOf(size);
      const bytes = Buffer.alloc(end - start);
      let done = 0;
      while (done < bytes.length) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    } finally {
      await handle.close();
    }
  },
  async stat(path) {
    const { size, mtime, ino, dev, nlink, ...facts } = await stat(path, { bigint: true });
    const isFile = (facts.mode & BigInt(constants.S_IFMT)) === BigInt(constants.S_IFREG);
    return {
      bytes: Number(size),
      lastModified: mtime,
      identity: `${dev}-${ino}`,
      names: Number(nlink),
      isFile,
    };
  },
  async entries(folder) {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  },
  link,
  rename,
  unlink,
  async makeFolder(path) {
    await mkdir(path);
  },
  removeFolder: rmdir,
  remove: (path) => rm(path, { recursive: true, force: true }),
  async syncFolder(path) {
    // Windows has no such thing.
    if (process.platform === 'win32') return;
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
