import type { DeadLetterCount } from '../../chassis/web/index.ts';
import type { OpenCapability } from './open-capability.ts';

/**
 * How many changes of each capability could not be applied. One whose databases can't be read is left
 * out: 0 would say that all is well.
 */
export async function deadChanges(
  opened: readonly OpenCapability[],
): Promise<readonly DeadLetterCount[]> {
  const counts = opened.map(async ({ data: { capability }, sides }) => {
    try {
      const each = [await sides.legacy.parked.count(), await sides.extracted.parked.count()];
      return [{ kind: 'change', capability, count: Math.max(...each) }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(counts)).flat();
}
