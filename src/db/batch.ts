/**
 * Collects what callers want written while the last write is under way, and writes it together: one round trip and one
 * commit for many requests. A caller's promise settles when its own item is committed.
 */
export function createBatcher<T>(write: (items: T[]) => Promise<void>, maxItems = 200): (item: T) => Promise<void> {
  type Waiting = { item: T; resolve: () => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let isWriting = false;

  const drain = async (): Promise<void> => {
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      await writeBatch(batch);
    }
    isWriting = false;
  };

  const writeBatch = async (batch: Waiting[]): Promise<void> => {
    try {
      await write(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (batch.length === 1) return batch[0]?.reject(error);
      // One bad item must not take the others with it.
      for (const single of batch) await writeBatch([single]);
    }
  };

  return (item) =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isWriting) void drain();
    });
}
