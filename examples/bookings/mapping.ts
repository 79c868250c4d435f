import { decimalToMinor, defineMapping, enumeration, rename, same } from '../../strangler/index.ts';

/** How the monolith's rooms and bookings become the service's, and back. */
export const bookingsMapping = defineMapping({
  capability: 'bookings',
  pairs: [
    {
      name: 'rooms',
      legacy: {
        table: 'rooms',
        references: { 'reviews(room_id)': 'rooms are closed (is_active), never deleted' },
      },
      extracted: { table: 'rooms' },
      key: [same('id', 'id')],
      columns: [
        same('code', 'code'),
        enumeration('kind', 'kind', { dorm: 'dorm', private: 'private', suite: 'suite' }),
        same('part_of', 'part_of'),
        same('beds', 'beds'),
        decimalToMinor('price', 'price_minor', 2),
        same('amenities', 'amenities'),
        same('layout', 'layout'),
        rename('is_active', 'active'),
      ],
    },
    {
      name: 'room_closures',
      legacy: { table: 'room_closures' },
      extracted: { table: 'room_closures' },
      key: [same('room_id', 'room_id'), same('closed_on', 'closed_on')],
      columns: [same('reason', 'reason')],
    },
    {
      name: 'bookings',
      legacy: {
        table: 'bookings',
        triggers: {
          bookings_touch:
            'does not fire for applied rows: a table with foreign keys is applied as a replica',
        },
        references: {
          'bookings(customer_id)': 'customers are never deleted',
          'invoices(booking_id)': 'bookings are cancelled, never deleted',
        },
      },
      extracted: { table: 'bookings' },
      key: [same('id', 'id')],
      columns: [
        same('customer_id', 'customer_id'),
        same('room_id', 'room_id'),
        enumeration('status', 'state', {
          held: 'on_hold',
          confirmed: 'confirmed',
          cancelled: 'cancelled',
          expired: 'lapsed',
        }),
        same('first_night', 'first_night'),
        same('last_night', 'last_night'),
        same('guests', 'guests'),
        decimalToMinor('total', 'total_minor', 2),
        same('note', 'note'),
        same('created_at', 'created_at'),
        same('updated_at', 'updated_at'),
      ],
    },
    {
      name: 'booking_nights',
      partOf: { pair: 'bookings', by: ['booking_id'] },
      legacy: { table: 'booking_nights' },
      extracted: { table: 'booking_nights' },
      key: [same('booking_id', 'booking_id'), same('night', 'night')],
      columns: [same('room_id', 'room_id'), decimalToMinor('price', 'price_minor', 2)],
    },
  ],
});
