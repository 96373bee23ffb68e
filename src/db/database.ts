import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from './generated/client.ts';

/** Prisma's client, or a transaction of it: what every store takes. */
export type Sql = Prisma.TransactionClient;

/**
 * The database: `client` for Prisma, `pool` for the few hot statements that Prisma would slow, `transaction` to commit
 * several writes together, `listen` to hear of them.
 */
export type Database = {
  url: string;
  client: PrismaClient;
  pool: pg.Pool;
  /** `work` may be run again, and so does nothing outside of its transaction. */
  transaction: <T>(work: (tx: Sql) => Promise<T>) => Promise<T>;
  close: () => Promise<void>;
};

export function openDatabase(url: string, connections = 20): Database {
  // Prisma writes times without their zone and reads them as UTC: on a server with another one they would be off by hours.
  const pool = new pg.Pool({ connectionString: url, max: connections, options: '-c TimeZone=UTC' });
  // A connection that breaks while idle is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => undefined);
  const client = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    url,
    client,
    pool,
    transaction: (work) => repeated(() => client.$transaction(work, { maxWait: 10_000, timeout: 30_000 })),
    close: async () => {
      await client.$disconnect();
      await pool.end();
    },
  };
}

/** Of transactions that wait for one another PostgreSQL ends one, which finds its way free when it is run again. */
async function repeated<T>(run: () => Promise<T>, triesLeft = 3): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (triesLeft === 0 || !isDeadlock(error)) throw error;
    return repeated(run, triesLeft - 1);
  }
}

/** Prisma has a code for it, and another for statements of our own, which then tell PostgreSQL's. */
function isDeadlock(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return (
    error.code === 'P2034' ||
    (error.code === 'P2010' && /\b(40P01|TransactionWriteConflict)\b/.test(JSON.stringify(error.meta)))
  );
}

export { Prisma };
