import { version } from '../../src/core/version.ts';
import { note } from './screen.ts';

/** The server's version, where it has said one that may not understand us, or the other way round. */
let other: string | undefined;

/** Says once, to people, that server and command are of versions that may not fit. Null: the server says none. */
export function noteVersion(server: string | null): void {
  if (server === null || other !== undefined || isCompatible(server, version)) return;
  other = server;
  note(`${versionAdvice()}`);
}

/** What to do about it; undefined where the versions fit. */
export function versionAdvice(): string | undefined {
  return other === undefined
    ? undefined
    : `the server is weir ${other} and this command ${version}: install the server’s version of it`;
}

/** By semantic versioning: the same major version; before 1.0 the same minor version. */
export function isCompatible(server: string, own: string): boolean {
  const [ofServer, ofCommand] = [server, own].map((text) => text.split('.'));
  const parts = ofCommand?.[0] === '0' ? 2 : 1;
  return ofServer?.slice(0, parts).join() === ofCommand?.slice(0, parts).join();
}
