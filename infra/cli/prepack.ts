import { buildPackage } from './build-package.ts';

/** `npm pack` calls it before it packs. */
await buildPackage(import.meta.dirname);
