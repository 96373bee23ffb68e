import { mkdir, statfs } from 'node:fs/promises';
import { WeirError } from '../core/errors.ts';

/** So much of a disk stays free, or this part of a small one: the database may lie on it too, and stops where it can't write. */
const floorBytes = 1024 ** 3;
const floorPart = 0.05;

/** Whether there is room for so many bytes more. @throws WeirError `storage-refused` */
export type RequireRoom = (bytes: number) => Promise<void>;

/** `leastFreeBytes`: as measured where left out. */
export function createDiskFloor(directory: string, leastFreeBytes?: number): RequireRoom {
  return async (bytes) => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const { bavail, blocks, bsize } = await statfs(directory);
    const least = leastFreeBytes ?? Math.min(floorBytes, blocks * bsize * floorPart);
    if (bavail * bsize - bytes >= least) return;
    const cause = new Error(
      `The disk of ${directory} has ${bavail * bsize} bytes free, of which ${Math.ceil(least)} stay so; ${bytes} more were to come. An operator makes room, or configures another bucket.`,
    );
    throw new WeirError('storage-refused', toTenants, { cause });
  };
}

const toTenants =
  'The storage of this service is full and takes no files until its operator has made room. What was stored before stays.';
