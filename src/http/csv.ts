import type { FastifyReply } from 'fastify';
import { contentTypeOf } from './format.ts';
import { streamOf } from './text-stream.ts';

export type Cell = string | number | null;

/** Answers with a table whose rows are there. */
export function sendCsvRows(
  reply: FastifyReply,
  { name, columns, rows }: { name: string; columns: readonly string[]; rows: (readonly Cell[])[] },
): Promise<FastifyReply> {
  async function* pages() {
    yield rows;
  }
  return sendCsv(reply, { name, columns, pages: pages() });
}

/** Answers with a table as RFC 4180 has it, of rows that come page by page: however many there are, one page is held. */
export async function sendCsv(
  reply: FastifyReply,
  { name, columns, pages }: { name: string; columns: readonly string[]; pages: AsyncIterable<(readonly Cell[])[]> },
): Promise<FastifyReply> {
  async function* texts() {
    let before = csvRow(columns);
    for await (const page of pages) {
      yield before + page.map(csvRow).join('');
      before = '';
    }
    if (before !== '') yield before;
  }
  const stream = await streamOf(texts());
  return reply
    .type(contentTypeOf('csv'))
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .send(stream);
}

function csvRow(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/**
 * Text that a spreadsheet would take for a formula is given an apostrophe, as OWASP advises: a note or a name must not compute
 * anything in the office of whoever opens the file.
 */
function csvCell(cell: Cell): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
