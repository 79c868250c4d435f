import './bookings.test.ts';
