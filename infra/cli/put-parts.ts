import type { Upload } from './generated/api.ts';
import { createPatience } from './patience.ts';
import { fetchSigned } from './signed-url.ts';

/** Cloud Storage takes parts in multiples of 256 KiB. */
const partBytes = 4 * 1024 * 1024;

/**
 * PUTs a file part by part in Cloud Storage's resumable protocol, and goes on where a broken connection left it. `advance` hears how
 * many bytes more have arrived.
 */
export async function putParts(
  { url, headers }: Pick<Upload, 'url' | 'headers'>,
  name: string,
  bytes: Blob,
  advance: (bytes: number) => void,
): Promise<void> {
  const put = (range: string, body?: Blob) =>
    fetchSigned(url, name, {
      method: 'PUT',
      headers: { ...headers, 'content-range': `bytes ${range}/${bytes.size}` },
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
  let sent = 0;
  let isLost = bytes.size === 0;
  const patience = createPatience();
  for (;;) {
    try {
      const end = Math.min(sent + partBytes, bytes.size);
      const answer = isLost ? await put('*') : await put(`${sent}-${end - 1}`, bytes.slice(sent, end));
      isLost = false;
      const arrived = answer.status === resumeIncomplete ? arrivedOf(answer) : bytes.size;
      advance(arrived - sent);
      if (answer.status !== resumeIncomplete) return;
      if (arrived > sent) patience.renew();
      sent = arrived;
    } catch (error) {
      await patience.outlast(error);
      // How much of it has arrived, only the store knows.
      isLost = true;
    }
  }
}

/** 308, which for this protocol is no redirection. */
const resumeIncomplete = 308;

/** `Range: bytes=0-42` says that 43 bytes are there; no such header, that none are. */
function arrivedOf({ headers }: Response): number {
  const [, last] = /-(\d+)$/.exec(headers.get('range') ?? '') ?? [];
  return last === undefined ? 0 : Number(last) + 1;
}
