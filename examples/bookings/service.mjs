// The bookings service: the same answers as the monolith's, on a schema of its own, each write behind the fence.
import express from 'express';
import { Pool, types } from 'pg';
import { Fenced, ownerTransaction } from './fence.mjs';

types.setTypeParser(types.builtins.DATE, (text) => text);
types.setTypeParser(types.builtins.INT8, Number);

const monolith = process.env.MONOLITH_URL;
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const write = (work) => ownerTransaction(pool, 'bookings', work);
const app = express();
app.use(express.json());

// Sessions stay the monolith's: it says whose cookie that is.
async function signedIn(req, res, next) {
  const answer = await fetch(`${monolith}/api/me`, {
    headers: { cookie: req.headers.cookie ?? '' },
  });
  const body = await answer.json();
  if (!answer.ok) {
    res.status(answer.status).json(body);
    return;
  }
  req.customer = body;
  next();
}

const ROOM = `SELECT id, code, kind, part_of, beds, price_minor, amenities, layout, active FROM rooms`;
const BOOKING = `SELECT id, customer_id, room_id, state, first_night, last_night, guests, total_minor, note,
  created_at, updated_at FROM bookings`;
/** The words of the API, which are older than this service. */
const STATUS = {
  on_hold: 'held',
  confirmed: 'confirmed',
  cancelled: 'cancelled',
  lapsed: 'expired',
};

const money = (minor) => (minor / 100).toFixed(2);

const roomOf = (row) => ({
  id: row.id,
  code: row.code,
  kind: row.kind,
  partOf: row.part_of,
  beds: row.beds,
  price: money(row.price_minor),
  amenities: row.amenities,
  layout: row.layout,
  active: row.active,
});

const bookingOf = (row) => ({
  id: row.id,
  customerId: row.customer_id,
  roomId: row.room_id,
  status: STATUS[row.state],
  firstNight: row.first_night,
  lastNight: row.last_night,
  guests: row.guests,
  total: money(row.total_minor),
  note: row.note,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

app.get('/healthz', (req, res) => res.json({ ok: true }));

app.get('/api/rooms', async (req, res) => {
  const { rows } = await pool.query(`${ROOM} WHERE active ORDER BY id`);
  res.json({ rooms: rows.map(roomOf) });
});

app.get('/api/rooms/:id', async (req, res) => {
  const { rows } = await pool.query(`${ROOM} WHERE id = $1`, [req.params.id]);
  if (rows.length === 0) {
    res.status(404).json({ error: 'no such room' });
    return;
  }
  res.json(roomOf(rows[0]));
});

app.put('/api/rooms/:id/closures/:night', signedIn, async (req, res) => {
  const { id, night } = req.params;
  await write((client) =>
    client.query(
      `INSERT INTO room_closures (room_id, closed_on, reason) VALUES ($1, $2, $3)
         ON CONFLICT (room_id, closed_on) DO UPDATE SET reason = excluded.reason`,
      [id, night, req.body.reason],
    ),
  );
  res.json({ roomId: Number(id), night, reason: req.body.reason });
});

app.get('/api/bookings', signedIn, async (req, res) => {
  const { rows } = await pool.query(
    `${BOOKING} WHERE customer_id = $1 ORDER BY created_at DESC, id DESC LIMIT 20`,
    [req.customer.id],
  );
  res.json({ bookings: rows.map(bookingOf) });
});

app.get('/api/bookings/:id', signedIn, async (req, res) => {
  const { rows } = await pool.query(`${BOOKING} WHERE id = $1 AND customer_id = $2`, [
    req.params.id,
    req.customer.id,
  ]);
  if (rows.length === 0) {
    res.status(404).json({ error: 'no such booking' });
    return;
  }
  res.json(bookingOf(rows[0]));
});

app.post('/api/bookings', signedIn, async (req, res) => {
  const { roomId, firstNight, lastNight, guests = [], note = null } = req.body;
  const booking = await write(async (client) => {
    const { rows: rooms } = await client.query('SELECT price_minor FROM rooms WHERE id = $1', [
      roomId,
    ]);
    if (rooms.length === 0) throw Object.assign(new Error('no such room'), { status: 404 });
    const price = rooms[0].price_minor;
    const { rows } = await client.query(
      `INSERT INTO bookings (customer_id, room_id, first_night, last_night, guests, total_minor, note)
         VALUES ($1, $2, $3, $4, $5, $6::bigint * ($4::date - $3::date + 1), $7) RETURNING *`,
      [req.customer.id, roomId, firstNight, lastNight, JSON.stringify(guests), price, note],
    );
    await client.query(
      `INSERT INTO booking_nights (booking_id, night, room_id, price_minor)
         SELECT $1, d::date, $2, $3 FROM generate_series($4::date, $5::date, '1 day') d`,
      [rows[0].id, roomId, price, firstNight, lastNight],
    );
    return rows[0];
  });
  res.status(201).json(bookingOf(booking));
});

app.post('/api/bookings/:id/confirm', signedIn, async (req, res) => {
  const [booking] = await write(async (client) => {
    const { rows } = await client.query(
      `UPDATE bookings SET state = 'confirmed', updated_at = now()
         WHERE id = $1 AND customer_id = $2 AND state = 'on_hold' RETURNING *`,
      [req.params.id, req.customer.id],
    );
    return rows;
  });
  if (booking === undefined) {
    res.status(409).json({ error: 'not on hold' });
    return;
  }
  res.json(bookingOf(booking));
});

app.post('/api/bookings/:id/cancel', signedIn, async (req, res) => {
  const [booking] = await write(async (client) => {
    const { rows } = await client.query(
      `UPDATE bookings SET state = 'cancelled', updated_at = now()
         WHERE id = $1 AND customer_id = $2 AND state IN ('on_hold', 'confirmed') RETURNING *`,
      [req.params.id, req.customer.id],
    );
    if (rows.length > 0) {
      await client.query('DELETE FROM booking_nights WHERE booking_id = $1', [req.params.id]);
    }
    return rows;
  });
  if (booking === undefined) {
    res.status(409).json({ error: 'neither on hold nor confirmed' });
    return;
  }
  res.json(bookingOf(booking));
});

app.use((error, req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  if (error instanceof Fenced) {
    res.status(421).type('application/problem+json').json(error.body);
    return;
  }
  if (error.code === '23505') {
    res.status(409).json({ error: 'the room is taken' });
    return;
  }
  if (!error.status) console.error(error);
  res
    .status(error.status ?? 500)
    .json({ error: error.status ? error.message : 'something went wrong' });
});

const server = app.listen(Number(process.env.PORT ?? 5001), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.once('SIGTERM', () => server.close(() => void pool.end()));
