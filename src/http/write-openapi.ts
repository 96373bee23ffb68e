import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSpecification } from './specification.ts';

const path = join(import.meta.dirname, '../../openapi.yaml');

await writeFile(path, await writeSpecification());
process.stdout.write(`Wrote ${path}\n`);
