import { openScratch } from '../../../strangler/sides/sides.ts';
import type { ScratchDatabase } from '../../../strangler/conformance/index.ts';

/** A database with the fence that an engine would install for a capability, and no triggers. */
export async function withScratchFence<T>(
  url: string,
  capability: string,
  use: (scratch: ScratchDatabase) => Promise<T>,
): Promise<T> {
  const scratch = openScratch(url);
  try {
    await scratch.install(capability);
    return await use(scratch);
  } finally {
    await scratch.close();
  }
}
