const full = '█';
const parts = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;
const empty = '░';
const levels = '▁▂▃▄▅▆▇█';

/** A share from 0 to 1 as a bar, to an eighth of a column. */
export function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * columns * 8);
  const filled = full.repeat(Math.floor(eighths / 8)) + (parts[eighths % 8] ?? '');
  return filled + empty.repeat(columns - filled.length);
}

/** A series as one row of levels, the largest value the highest; nothing where there is nothing. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(0, ...values);
  if (most === 0) return '';
  return values.map((value) => levels[Math.ceil((value / most) * levels.length) - 1] ?? levels[0]).join('');
}
