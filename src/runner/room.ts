/** A disk that is full, or as full as the job may make it. */
export class DiskFull extends Error {
  readonly code = 'ENOSPC';
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOSPC';
}

/** What of its disk a job has left before it starts: what is fetched and unpacked for it counts too. */
export type Room = {
  /** False where there is not so much left; nothing is taken then. */
  take: (bytes: number) => boolean;
  giveBack: (bytes: number) => void;
};

export function createRoom(limitBytes: number): Room {
  let left = limitBytes;
  return {
    take: (bytes) => {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    giveBack: (bytes) => {
      left += bytes;
    },
  };
}
