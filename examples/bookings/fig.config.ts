import { defineConfig } from '../../routing/index.ts';
import { bookingsMapping } from './mapping.ts';

const { env } = process;

/** Moves rooms and bookings out of the hostels' monolith, which can't be changed: it answers 500 where its database refuses. */
export default defineConfig({
  upstreams: {
    monolith: env['MONOLITH_URL'] ?? 'http://127.0.0.1:5000',
    bookings: env['BOOKINGS_URL'] ?? 'http://127.0.0.1:5001',
  },
  monolith: 'monolith',
  drainFirst: ['monolith'],
  flagsFile: 'flags.json',
  capabilities: {
    bookings: {
      legacy: 'monolith',
      extracted: 'bookings',
      routes: ['/api/rooms', '/api/rooms/*', '/api/bookings', '/api/bookings/*'],
      databases: {
        legacy: env['MONOLITH_DATABASE_URL'] ?? 'postgres://127.0.0.1:5432/hostels',
        extracted: env['BOOKINGS_DATABASE_URL'] ?? 'postgres://127.0.0.1:5432/bookings',
      },
      mapping: bookingsMapping,
      invariants: [
        {
          name: 'nights sold and what they are worth',
          legacy: 'SELECT count(*), sum(price * 100)::bigint FROM booking_nights',
          extracted: 'SELECT count(*), sum(price_minor)::bigint FROM booking_nights',
        },
      ],
    },
  },
});
