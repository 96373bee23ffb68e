import { randomInt, randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WeirError } from '../../core/errors.ts';

// Between those for people and system (below 65536) and those for containers of users (from 100000).
const firstUid = 70_000;
export const lastUid = 79_999;

/** Of the whole machine: two weirs on it must not give out one uid, since ending a job ends all processes of its uid. */
const machineClaims = '/run/weir/uids';

/** A uid is held as long as one of these directories exists: the instance's and its job's. */
export type UidHolder = { instanceDir: string; workDir: string };

/** Takes a uid that no other instance and no process has. Chance chooses, so that none is soon used again. */
export async function claimUid(holder: UidHolder, claims = machineClaims): Promise<number> {
  await mkdir(claims, { recursive: true, mode: 0o700 });
  const draft = join(claims, `.${randomUUID()}`);
  await writeFile(draft, JSON.stringify(holder));
  try {
    const running = uidsOfProcesses();
    const count = lastUid - firstUid + 1;
    const start = randomInt(count);
    for (let i = 0; i < count; i += 1) {
      const uid = firstUid + ((start + i) % count);
      if (!running.has(uid) && (await take(join(claims, String(uid)), draft))) return uid;
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new WeirError('no-capacity', 'All uids for jobs on this machine are in use.');
}

/** Gives the uid back, when nothing on disk belongs to it any more. */
export async function releaseUid(uid: number, { instanceDir }: UidHolder, claims = machineClaims): Promise<void> {
  const claim = join(claims, String(uid));
  const holder = await readHolder(claim);
  if (holder?.instanceDir === instanceDir) await rm(claim, { force: true });
}

async function take(claim: string, draft: string): Promise<boolean> {
  const holder = await readHolder(claim);
  if (holder !== undefined) {
    if ((await exists(holder.instanceDir)) || (await exists(holder.workDir))) return false;
    if (!(await removeAbandoned(claim, holder))) return false;
  }
  // A link appears whole or not at all, unlike a file that is made and then written.
  return link(draft, claim).then(
    () => true,
    () => false,
  );
}

/** By moving it aside, which only one can do; what another has put there meanwhile is put back. */
async function removeAbandoned(claim: string, abandoned: UidHolder): Promise<boolean> {
  const aside = `${claim}.${randomUUID()}`;
  const isMoved = await rename(claim, aside).then(
    () => true,
    () => false,
  );
  if (!isMoved) return false;
  const moved = await readHolder(aside);
  const isAbandoned = moved?.instanceDir === abandoned.instanceDir;
  if (!isAbandoned) await link(aside, claim).catch(() => undefined);
  await rm(aside, { force: true });
  return isAbandoned;
}

function readHolder(claim: string): Promise<UidHolder | undefined> {
  return readFile(claim, 'utf8').then(
    (text) => JSON.parse(text) as UidHolder,
    () => undefined,
  );
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function uidsOfProcesses(): Set<number> {
  const uids = new Set<number>();
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? statSync(`/proc/${name}`, { throwIfNoEntry: false }) : undefined;
    if (found !== undefined) uids.add(found.uid);
  }
  return uids;
}
