import { Readable } from 'node:stream';

/** Texts as a body, once the first is there: what fails before can be answered as a problem, what fails later breaks the connection off. */
export async function streamOf(texts: AsyncGenerator<string>): Promise<Readable> {
  const first = await texts.next();
  async function* all() {
    if (first.done !== true) yield first.value;
    yield* texts;
  }
  return Readable.from(all(), { objectMode: false });
}
