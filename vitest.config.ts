import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Each test file is a process, and each service that a test starts another: with what they compile kept, they start in half the time.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compiled');

// `needs-*.test.ts` want Redis, fake-gcs-server, TensorFlow, bubblewrap, Docker, tmux, zsh, Python or a browser: `npm run test:all` runs them too.
const external = 'tests/**/needs-*.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'core', include: ['tests/**/*.test.ts'], exclude: [external] } },
      { extends: true, test: { name: 'external', include: [external], testTimeout: 600_000 } },
    ],
  },
});
