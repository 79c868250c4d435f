-- What cron runs against the monolith's database each night, with psql. No application knows of it.
BEGIN;
UPDATE bookings SET status = 'expired'
  WHERE status = 'held' AND created_at < now() - interval '1 day';
DELETE FROM booking_nights n USING bookings b
  WHERE b.id = n.booking_id AND b.status = 'expired';
COMMIT;
DELETE FROM sessions WHERE expires_at < now();
