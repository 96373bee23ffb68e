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
    transaction: (work) => client.$transaction(work, { maxWait: 10_000, timeout: 30_000 }),
    close: async () => {
      await client.$disconnect();
      await pool.end();
    },
  };
}

export { Prisma };
