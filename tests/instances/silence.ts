import type { World } from './world.ts';

/** A lease goes by in which no runner is heard, and the sweep looks. */
export async function fallSilent(world: World): Promise<void> {
  for (const seconds of [0, 10, 10, 11]) {
    world.advance(seconds);
    await world.sweep();
  }
}
