/** Apart from the schemas, so that the runner starts without loading them. */
export const maxPathBytes = 1024;
export const maxLogLineBytes = 64 * 1024;
export const maxLogChunkBytes = 4 * 1024 * 1024;
