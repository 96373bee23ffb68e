/** Calls at once when asked after a rest, and once more after the rest where it was asked again meanwhile. */
export function createThrottle(call: () => void, restMs: number): () => void {
  let isResting = false;
  let isWanted = false;
  const rest = (): void => {
    isResting = true;
    isWanted = false;
    call();
    setTimeout(() => {
      isResting = false;
      if (isWanted) rest();
    }, restMs).unref();
  };
  return () => {
    isWanted = true;
    if (!isResting) rest();
  };
}
