import assert from 'node:assert/strict';
import type { Replication } from '../../../strangler/replication/replication.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';

/** What a handover does to the rows, without the gates. */
export async function handOver(replication: Replication, from: SideName): Promise<void> {
  const [source, target] = [replication.store(from), replication.store(otherSide(from))];
  const lease = await source.acquireLease('test', 10_000);
  if (lease === null) throw new Error('no lease');
  const open = await source.fence();
  const epoch = open.epoch + 1;
  const closed = { state: 'closed', epoch } as const;
  const step = { handover: 'h', step: 'x', detail: null };
  assert(await source.step(step, lease, { from: open, to: closed }));
  await replication.drainTo(await source.lastPosition());
  assert(await source.step(step, lease, { from: closed, to: { state: 'ceded', epoch } }));
  assert(await target.openAsTarget(epoch));
  await replication.ownerChanged();
  assert.equal(await replication.ownerSide(), target.side);
}
