const maxItems = 200;

/**
 * Collects what callers ask while batches are under way (`lanes` at once), and carries it out together: one round trip, and one
 * commit, for many requests. A caller's answer is of its own item, begun after it asked.
 */
export function createBatcher<T, R>(process: (items: T[]) => Promise<R[]>, lanes = 1): (item: T) => Promise<R> {
  type Waiting = { item: T; resolve: (result: R) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let busyLanes = 0;

  const drain = async (): Promise<void> => {
    busyLanes += 1;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      await carryOut(batch);
    }
    busyLanes -= 1;
  };

  const carryOut = async (batch: Waiting[]): Promise<void> => {
    try {
      const results = await process(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(results[index] as R));
    } catch (error) {
      if (batch.length === 1) return batch[0]?.reject(error);
      // One bad item must not take the others with it.
      for (const single of batch) await carryOut([single]);
    }
  };

  return (item) =>
    new Promise<R>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (busyLanes < lanes) void drain();
    });
}
