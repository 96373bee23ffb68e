const colours = 10;

/** The colour of a series, the same in the chart, its legend and its tip. */
export const seriesColour = (at: number): string => `var(--weir-series-${at % colours})`;

export const othersColour = 'var(--mantine-color-dimmed)';
