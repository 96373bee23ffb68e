import { join } from 'node:path';
import { buildExecutable } from '../executable/executable.ts';

/** `npm run cli:executable`: the command as one file, for machines without Node. */
const output = join(import.meta.dirname, 'dist', `weir-${process.platform}-${process.arch}`);
await buildExecutable({ entry: join(import.meta.dirname, 'weir.ts'), output });
process.stdout.write(`${output}\n`);
