#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Keeps what V8 compiled for the next command, which then starts about a quarter sooner.
enableCompileCache();

// A reader that has seen enough, such as `head`, is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { run } = await import('./program.ts');
process.exitCode = await run(process.argv.slice(2));
