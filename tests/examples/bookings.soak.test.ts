import { describe, expect, it } from '@jest/globals';
import { assertSameBookings, moveForwardAndBack } from './bookings-move.ts';
import { withBookingsStage } from './bookings-stage.ts';

const GUESTS = 16;
const TURNS = 2_000;
/** Some ten command lines and five processes, beside whatever else the machine does. */
const TIMEOUT_MS = 900_000;

describe('the bookings of examples/bookings', () => {
  it(
    'move out of a monolith that nobody changed, and back, with no failed request',
    () =>
      withBookingsStage(async (stage) => {
        const told = await moveForwardAndBack(stage, { guests: GUESTS, turns: TURNS });
        expect(told.bookings.size).toBeGreaterThan(GUESTS);
        await assertSameBookings(stage, told);
      }),
    TIMEOUT_MS,
  );
});
