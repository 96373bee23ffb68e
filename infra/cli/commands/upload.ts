import { print, printJson, note } from '../screen.ts';
import { announce } from '../send.ts';
import { connect, type Flags } from '../session.ts';

/** Sends a file, unless the server has its bytes already, and prints what a spec names it by. */
export async function upload(path: string, flags: Flags): Promise<void> {
  const { upload: ticket, sizeBytes, send } = await announce(await connect(flags), path);
  await send();
  const { id, uri, expiresAt, complete } = ticket;
  if (flags.json === true) return printJson({ id, uri, sizeBytes, expiresAt, wasThere: complete });
  print(uri);
  if (complete) note('these bytes were there already');
  note(`name it in a spec: source: ${uri}, or inputs: [{ uri: ${uri}, path: … }]`);
}
