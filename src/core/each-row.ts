/** So many are read at a time. */
const pageRows = 200;

export type EachRow<Row> = {
  /** In the order of their ids, after the one given. */
  list: (after: string, limit: number) => Promise<Row[]>;
  work: (row: Row) => Promise<void>;
  /** Such as `old logs`, for the message. */
  what: string;
  onError: (error: unknown) => void;
};

/**
 * Goes once through rows, each by itself: one that fails keeps none of the others from their turn and has its own again the next time.
 * Answers how many went well; of the others it tells once, with the first one's error.
 */
export async function eachRow<Row extends { id: string }>(deps: EachRow<Row>): Promise<number> {
  const { list, work, what, onError } = deps;
  const failures: { id: string; cause: unknown }[] = [];
  let done = 0;
  for (let page = await list('', pageRows); page.length > 0; page = await list(page.at(-1)?.id ?? '', pageRows)) {
    for (const row of page)
      await work(row).then(
        () => (done += 1),
        (cause: unknown) => failures.push({ id: row.id, cause }),
      );
  }
  const [first] = failures;
  if (first !== undefined)
    onError(
      new Error(
        `${failures.length} of the ${what} could not be seen to and wait for the next time, ${first.id} first`,
        {
          cause: first.cause,
        },
      ),
    );
  return done;
}
