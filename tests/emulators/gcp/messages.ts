/** A message of Google's as JSON has it. */
export type Json = { [key: string]: unknown };

export type Service = 'compute' | 'tpu';
