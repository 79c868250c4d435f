import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../support/index.ts';
import { assertSameBookings, moveForwardAndBack } from './bookings-move.ts';
import { withBookingsStage } from './bookings-stage.ts';

const { guests, turns } = inSoak({ guests: 16, turns: 2_000 }, { guests: 2, turns: 20 });
/** Some ten command lines and five processes, beside whatever else the machine does. */
const TIMEOUT_MS = inSoak(900_000, 240_000);

describe('the bookings of examples/bookings', () => {
  it(
    'move out of a monolith that nobody changed, and back, with no failed request',
    () =>
      withBookingsStage(async (stage) => {
        const told = await moveForwardAndBack(stage, { guests, turns });
        expect(told.bookings.size).toBeGreaterThan(guests);
        await assertSameBookings(stage, told);
      }),
    TIMEOUT_MS,
  );
});
