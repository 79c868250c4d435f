-- A season's worth of data: enough to see a migration at work, loaded within a second.

INSERT INTO customers (email, full_name, phone, referred_by, created_at)
  SELECT 'guest' || n || '@example.com', 'Guest ' || n,
    CASE WHEN n % 3 = 0 THEN '+47 555 ' || lpad(n::text, 4, '0') END,
    CASE WHEN n % 5 = 0 THEN n - 1 END, timestamptz '2026-01-01 08:00:00.123456+01' + n * interval '1 hour'
  FROM generate_series(1, 200) n;

INSERT INTO rooms (code, kind, part_of, beds, price, amenities, layout)
  SELECT 'R-' || lpad(n::text, 3, '0'),
    (CASE WHEN n % 10 = 1 THEN 'suite' WHEN n % 3 = 0 THEN 'dorm' ELSE 'private' END)::room_kind,
    CASE WHEN n % 10 IN (2, 4) THEN n - n % 10 + 1 END, 1 + n % 8, 35 + n * 1.25,
    CASE WHEN n % 2 = 0 THEN ARRAY['wifi', 'sea view'] ELSE '{}' END,
    CASE WHEN n % 4 = 0 THEN jsonb_build_object('floor', n % 5, 'windows', jsonb_build_array('north', 'east')) END
  FROM generate_series(1, 60) n;

INSERT INTO room_closures (room_id, closed_on, reason)
  SELECT n, date '2026-11-01' + n, 'painters' FROM generate_series(1, 60, 7) n;

INSERT INTO bookings (customer_id, room_id, status, first_night, last_night, guests, total, note, created_at)
  SELECT 1 + n % 200, 1 + n % 60, (ARRAY['held', 'confirmed', 'confirmed', 'cancelled'])[1 + n % 4],
    date '2025-01-01' + (n / 60) * 3, date '2025-01-01' + (n / 60) * 3 + 1,
    jsonb_build_array(jsonb_build_object('name', 'Guest ' || n, 'age', 20 + n % 50)),
    2 * (35 + (1 + n % 60) * 1.25), CASE WHEN n % 9 = 0 THEN 'arrives late' END,
    timestamptz '2026-02-01 10:00:00.000001+01' + n * interval '1 minute'
  FROM generate_series(1, 3000) n;

INSERT INTO booking_nights (booking_id, night, room_id, price)
  SELECT b.id, b.first_night + d, b.room_id, b.total / 2
  FROM bookings b CROSS JOIN generate_series(0, 1) d WHERE b.status <> 'cancelled';

INSERT INTO invoices (booking_id, customer_id, amount)
  SELECT id, customer_id, total FROM bookings WHERE status = 'confirmed' AND id % 2 = 0;

INSERT INTO reviews (room_id, customer_id, stars, body)
  SELECT 1 + n % 60, 1 + n % 200, 1 + n % 5, CASE WHEN n % 2 = 0 THEN 'slept well' END
  FROM generate_series(1, 300) n;

INSERT INTO newsletter_issues (subject, sent_at) VALUES ('Spring', '2026-03-01'), ('Summer', NULL);
