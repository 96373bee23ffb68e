import type { FastifyReply } from 'fastify';
import { streamOf } from './text-stream.ts';

const json = 'application/json; charset=utf-8';

/** Answers with JSON that is text already. */
export function sendJsonText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type(json).serializer(String).send(text);
}

/** Answers with one page of a list whose items come as JSON one by one: however large the page, it is never held whole. */
export async function sendJsonList(
  reply: FastifyReply,
  { items, nextCursor }: { items: AsyncIterable<string>; nextCursor: string | null },
): Promise<FastifyReply> {
  async function* texts() {
    let before = '{"items":[';
    for await (const item of items) {
      yield before + item;
      before = ',';
    }
    yield `${before === ',' ? '' : before}],"nextCursor":${JSON.stringify(nextCursor)}}`;
  }
  const stream = await streamOf(texts());
  return reply.type(json).send(stream);
}
