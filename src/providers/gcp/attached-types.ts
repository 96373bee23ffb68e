/** N1 machines take their GPUs beside the machine type; on all others they come with it. */
export const attachedTypes: Record<string, string> = {
  T4: 'nvidia-tesla-t4',
  P100: 'nvidia-tesla-p100',
  V100: 'nvidia-tesla-v100',
};
