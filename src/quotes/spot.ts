/**
 * Seconds that a spot machine stays up on average. Public traces are of V100 alone (AWS, 0.7 to 10 h by zone; NSDI'24 SpotServe
 * and SkyServe); the scarcer a kind, the shorter it is taken to stay. A provider that has seen its own says so.
 */
const meanUpHours: Record<string, number> = {
  cpu: 24,
  T4: 12,
  L4: 12,
  P100: 8,
  V100: 6,
  A10G: 8,
  A100: 6,
  'A100-80GB': 5,
  H100: 4,
  H200: 4,
  B200: 4,
};

const tpuMeanUpHours = 8;

/** Whether the figure is of public traces; what others have is a judgement by scarcity. */
export function isSpotTraced(kind: string): boolean {
  return kind === 'V100';
}

export function spotMeanUpSeconds(kind: string): number {
  return (meanUpHours[kind] ?? tpuMeanUpHours) * 3600;
}

/** An on-demand node of eight accelerators fails so seldom: Llama 3 saw 466 interruptions of 2,048 nodes in 54 days (arXiv:2407.21783). */
const onDemandMeanUpSeconds = 5_700 * 3600;

/** By how much the mean differs between zones and times: the middle half of the traces. */
const meanUpSpread = 2;

/** Beyond e^10 attempts a figure says no more than "never". */
const never = Math.exp(10);

/** Of the exponential, so that it is a number. */
const largestExponent = 600;

export type Interruptions = {
  /** Between preemptions of the whole gang, of which each ends all; Infinity on demand. */
  meanUpSeconds: number;
  /** From a preemption until the work goes on. */
  restartSeconds: number;
  /** Between checkpoints; null where the job writes none. */
  everySeconds: number | null;
  /** That each checkpoint takes. */
  checkpointSeconds: number;
};

/** Seconds between checkpoints that lose least, √(2CM) (Young 1974, Daly 2006). */
export function bestInterval(checkpointSeconds: number, market: 'spot' | 'on-demand', meanUpSeconds: number): number {
  return Math.sqrt(2 * checkpointSeconds * (market === 'spot' ? meanUpSeconds : onDemandMeanUpSeconds));
}

/** The same with fewer preemptions, as at p10, or more, as at p90. */
export function luckier(interruptions: Interruptions): Interruptions {
  return { ...interruptions, meanUpSeconds: interruptions.meanUpSeconds * meanUpSpread };
}

export function unluckier(interruptions: Interruptions): Interruptions {
  return { ...interruptions, meanUpSeconds: interruptions.meanUpSeconds / meanUpSpread };
}

/** Of so many useful seconds, those that writing checkpoints adds. */
export function checkpointingSeconds(seconds: number, { everySeconds, checkpointSeconds }: Interruptions): number {
  return everySeconds === null || seconds <= everySeconds ? 0 : (seconds * checkpointSeconds) / everySeconds;
}

/**
 * Seconds that so many useful ones take, where preemptions come at random with mean M and each costs R and what was done since the
 * last checkpoint: (M + R)·(e^((τ+C)/M) − 1) for each τ of work, exact for memoryless preemptions; to first order it
 * is T·(1 + C/τ)·(1 + (τ/2 + R)/M). Without checkpoints τ is the whole.
 */
export function interruptedSeconds(seconds: number, interruptions: Interruptions): number {
  const { meanUpSeconds, restartSeconds } = interruptions;
  if (meanUpSeconds === Infinity) return seconds + checkpointingSeconds(seconds, interruptions);
  const { piece, pieces } = piecesOf(seconds, interruptions);
  const paid = (meanUpSeconds + restartSeconds) * Math.expm1(Math.min(piece / meanUpSeconds, largestExponent));
  return pieces * Math.min(paid, piece * never);
}

/** The useful seconds of so many, by halving: `interruptedSeconds` the other way. */
export function uninterruptedSeconds(seconds: number, interruptions: Interruptions): number {
  let [least, most] = [0, seconds];
  for (let halving = 0; halving < 60; halving++) {
    const middle = (least + most) / 2;
    if (interruptedSeconds(middle, interruptions) < seconds) least = middle;
    else most = middle;
  }
  return most;
}

/** What has to be done at a stretch, in seconds, and how often. */
function piecesOf(
  seconds: number,
  { everySeconds, checkpointSeconds }: Interruptions,
): { piece: number; pieces: number } {
  if (everySeconds === null || seconds <= everySeconds) return { piece: seconds, pieces: 1 };
  return { piece: everySeconds + checkpointSeconds, pieces: seconds / everySeconds };
}

/** Whether so much has to be done at a stretch that spot machines would hardly ever let it finish: one in twenty tries does. */
export function hardlyFinishes(seconds: number, interruptions: Interruptions): boolean {
  return piecesOf(seconds, interruptions).piece > 3 * interruptions.meanUpSeconds;
}
