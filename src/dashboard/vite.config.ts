import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compression } from 'vite-plugin-compression2';

/** `npm run dashboard` builds into `dist`, which the API serves; `npm run dashboard:dev` shows changes at once over a running weir. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/dashboard/',
  plugins: [
    react(),
    compression({ algorithms: ['brotliCompress', 'gzip'], include: /\.(html|js|css|svg)$/, threshold: 1024 }),
  ],
  build: {
    // What understands light-dark(), which the colours are told with.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // The page's policy lets nothing in that is not a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:8080', '/docs': 'http://127.0.0.1:8080' } },
});
