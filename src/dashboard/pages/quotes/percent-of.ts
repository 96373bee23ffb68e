/** A figure that the service gives in percent; a dash where no job tells. */
export function percentOf(percent: number | null): string {
  return percent === null ? '–' : `${percent.toFixed(1)} %`;
}
