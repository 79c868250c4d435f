-- The database of a small chain of hostels, as its monolith has made it over the years.

CREATE TYPE room_kind AS ENUM ('dorm', 'private', 'suite');

CREATE TABLE customers (
  id serial PRIMARY KEY,
  email text NOT NULL UNIQUE,
  full_name text NOT NULL,
  phone text,
  referred_by integer REFERENCES customers (id),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  sid text PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_customer ON sessions (customer_id);

-- A suite is made of rooms that can also be had by themselves.
CREATE TABLE rooms (
  id serial PRIMARY KEY,
  code varchar(12) NOT NULL UNIQUE,
  kind room_kind NOT NULL,
  part_of integer REFERENCES rooms (id),
  beds smallint NOT NULL CHECK (beds > 0),
  price numeric(10,2) NOT NULL,
  amenities text[] NOT NULL DEFAULT '{}',
  layout jsonb,
  is_active boolean NOT NULL DEFAULT true
);

CREATE TABLE room_closures (
  room_id integer NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  closed_on date NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (room_id, closed_on)
);

CREATE TABLE bookings (
  id bigserial PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES customers (id),
  room_id integer NOT NULL REFERENCES rooms (id),
  status text NOT NULL DEFAULT 'held'
    CHECK (status IN ('held', 'confirmed', 'cancelled', 'expired')),
  first_night date NOT NULL,
  last_night date NOT NULL,
  guests jsonb NOT NULL DEFAULT '[]',
  total numeric(10,2) NOT NULL,
  note text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (last_night >= first_night)
);
CREATE INDEX bookings_customer ON bookings (customer_id, created_at);
CREATE INDEX bookings_room ON bookings (room_id);

-- No two bookings have the same room in the same night.
CREATE TABLE booking_nights (
  booking_id bigint NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
  night date NOT NULL,
  room_id integer NOT NULL REFERENCES rooms (id),
  price numeric(10,2) NOT NULL,
  PRIMARY KEY (booking_id, night),
  UNIQUE (room_id, night)
);

CREATE TABLE invoices (
  id serial PRIMARY KEY,
  booking_id bigint NOT NULL REFERENCES bookings (id),
  customer_id integer NOT NULL REFERENCES customers (id),
  amount numeric(10,2) NOT NULL,
  issued_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invoices_booking ON invoices (booking_id);

CREATE TABLE reviews (
  id serial PRIMARY KEY,
  room_id integer NOT NULL REFERENCES rooms (id),
  customer_id integer NOT NULL REFERENCES customers (id),
  stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
  body text,
  written_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reviews_room ON reviews (room_id);

CREATE TABLE newsletter_issues (
  id serial PRIMARY KEY,
  subject text NOT NULL,
  sent_at timestamptz
);

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;

CREATE TRIGGER bookings_touch BEFORE UPDATE ON bookings
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
