import { createHash } from 'node:crypto';
import { access, constants, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WeirError } from '../core/errors.ts';
import { newToken } from '../core/tokens.ts';
import type { ObjectInfo, Span } from './bucket.ts';
import { isObjectKey } from './names.ts';

/** Complete objects as files, each with its size and MD5 in a `.json` beside it. An object is there when its file is. */
export type ObjectFiles = {
  pathOf: (key: string) => string;
  stat: (key: string) => Promise<ObjectInfo | undefined>;
  /** Makes the file at `source`, of the same file system, the object; after it returns a loss of power does not undo it. */
  commit: (source: string, key: string, info: ObjectInfo) => Promise<void>;
  write: (key: string, bytes: Buffer) => Promise<void>;
  read: (key: string, span: Span) => Promise<Buffer>;
  remove: (key: string) => Promise<void>;
  isReady: () => Promise<boolean>;
};

export function createObjectFiles(directory: string): ObjectFiles {
  const pathOf = (key: string): string => {
    if (!isObjectKey(key)) throw new WeirError('not-found', 'There is no such object.');
    return join(directory, key);
  };
  return {
    pathOf,
    stat: async (key) => {
      const path = pathOf(key);
      return (await exists(path)) ? (JSON.parse(await readFile(`${path}.json`, 'utf8')) as ObjectInfo) : undefined;
    },
    commit: (source, key, info) => commit(source, pathOf(key), info),
    write: async (key, bytes) => {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const source = `${path}.${newToken()}.part`;
      await writeFile(source, bytes, { mode: 0o600 });
      await commit(source, path, { sizeBytes: bytes.length, md5: createHash('md5').update(bytes).digest('hex') });
    },
    read: (key, span) => readSpan(pathOf(key), span),
    remove: async (key) => {
      const path = pathOf(key);
      await rm(path, { force: true });
      await rm(`${path}.json`, { force: true });
    },
    isReady: () =>
      mkdir(directory, { recursive: true, mode: 0o700 })
        .then(() => access(directory, constants.W_OK))
        .then(
          () => true,
          () => false,
        ),
  };
}

async function readSpan(path: string, { offset, length }: Span): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw new WeirError('unavailable', 'The object store did not answer as it should. Try again in a moment.', {
      cause,
    });
  }
}

/** The sidecar first, so that no object is ever without one. */
async function commit(source: string, path: string, info: ObjectInfo): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const sidecar = `${source}.${newToken()}.json`;
  await writeFile(sidecar, JSON.stringify(info), { flush: true, mode: 0o600 });
  await rename(sidecar, `${path}.json`);
  await flush(source);
  await rename(source, path);
  await flush(dirname(path));
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
