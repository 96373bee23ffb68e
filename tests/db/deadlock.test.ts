import { expect } from 'vitest';
import { test } from '../support/database.ts';

test.for(['by Prisma', 'by SQL'])(
  'of two transactions that wait for one another neither fails: %s',
  async (how, { db }) => {
    await db.client.setting.createMany({ data: ['a', 'b'].map((name) => ({ name, value: 0 })) });
    let runs = 0;
    let arrive = (): void => undefined;
    const bothThere = new Promise<void>((resolve) => {
      arrive = () => (runs === 2 ? resolve() : undefined);
    });
    const add = (first: string, second: string) =>
      db.transaction(async (tx) => {
        const set = (name: string) =>
          how === 'by Prisma'
            ? tx.setting.update({ where: { name }, data: { value: runs } })
            : tx.$executeRaw`UPDATE setting SET value = '1' WHERE name = ${name}`;
        await set(first);
        runs += 1;
        arrive();
        await bothThere;
        await set(second);
        return first;
      });
    expect(await Promise.all([add('a', 'b'), add('b', 'a')])).toEqual(['a', 'b']);
    expect(runs).toBe(3);
  },
);
