// The hostels' monolith: express and pg, nothing else. It was written long before the team thought of moving a part
// of it, and no line of it knows of Fig.
import { randomUUID } from 'node:crypto';
import express from 'express';
import { Pool, types } from 'pg';

types.setTypeParser(types.builtins.DATE, (text) => text);
types.setTypeParser(types.builtins.INT8, Number);

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const app = express();
app.use(express.json());

app.use(async (req, res, next) => {
  const [, sid] = /(?:^|;\s*)sid=([^;]+)/.exec(req.headers.cookie ?? '') ?? [];
  if (sid !== undefined) {
    const { rows } = await pool.query(
      `SELECT c.id, c.email, c.full_name FROM sessions s JOIN customers c ON c.id = s.customer_id
         WHERE s.sid = $1 AND s.expires_at > now()`,
      [sid],
    );
    [req.customer] = rows;
  }
  next();
});

function signedIn(req, res, next) {
  if (req.customer) next();
  else res.status(401).json({ error: 'log in first' });
}

app.get('/healthz', (req, res) => res.json({ ok: true }));

app.post('/api/login', async (req, res) => {
  const { rows } = await pool.query('SELECT id FROM customers WHERE email = $1', [req.body.email]);
  if (rows.length === 0) {
    res.status(401).json({ error: 'unknown e-mail address' });
    return;
  }
  const sid = randomUUID();
  await pool.query(
    `INSERT INTO sessions (sid, customer_id, expires_at) VALUES ($1, $2, now() + interval '30 days')`,
    [sid, rows[0].id],
  );
  res.cookie('sid', sid, { httpOnly: true, sameSite: 'lax' }).status(201).json({ id: rows[0].id });
});

app.get('/api/me', signedIn, (req, res) => res.json(req.customer));

// ---- rooms and bookings ----------------------------------------------------------------------------------

const ROOM = `SELECT id, code, kind, part_of, beds, price, amenities, layout, is_active FROM rooms`;
const BOOKING = `SELECT id, customer_id, room_id, status, first_night, last_night, guests, total, note,
  created_at, updated_at FROM bookings`;

const roomOf = (row) => ({
  id: row.id,
  code: row.code,
  kind: row.kind,
  partOf: row.part_of,
  beds: row.beds,
  price: row.price,
  amenities: row.amenities,
  layout: row.layout,
  active: row.is_active,
});

const bookingOf = (row) => ({
  id: row.id,
  customerId: row.customer_id,
  roomId: row.room_id,
  status: row.status,
  firstNight: row.first_night,
  lastNight: row.last_night,
  guests: row.guests,
  total: row.total,
  note: row.note,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

app.get('/api/rooms', async (req, res) => {
  const { rows } = await pool.query(`${ROOM} WHERE is_active ORDER BY id`);
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
  await pool.query(
    `INSERT INTO room_closures (room_id, closed_on, reason) VALUES ($1, $2, $3)
       ON CONFLICT (room_id, closed_on) DO UPDATE SET reason = excluded.reason`,
    [req.params.id, req.params.night, req.body.reason],
  );
  res.json({ roomId: Number(req.params.id), night: req.params.night, reason: req.body.reason });
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
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows: rooms } = await client.query('SELECT price FROM rooms WHERE id = $1', [roomId]);
    if (rooms.length === 0) throw Object.assign(new Error('no such room'), { status: 404 });
    const { rows } = await client.query(
      `INSERT INTO bookings (customer_id, room_id, first_night, last_night, guests, total, note)
         VALUES ($1, $2, $3, $4, $5, $6::numeric * ($4::date - $3::date + 1), $7) RETURNING *`,
      [
        req.customer.id,
        roomId,
        firstNight,
        lastNight,
        JSON.stringify(guests),
        rooms[0].price,
        note,
      ],
    );
    await client.query(
      `INSERT INTO booking_nights (booking_id, night, room_id, price)
         SELECT $1, d::date, $2, $3 FROM generate_series($4::date, $5::date, '1 day') d`,
      [rows[0].id, roomId, rooms[0].price, firstNight, lastNight],
    );
    await client.query('COMMIT');
    res.status(201).json(bookingOf(rows[0]));
  } catch (error) {
    await client.query('ROLLBACK');
    if (error.code === '23505') res.status(409).json({ error: 'the room is taken' });
    else throw error;
  } finally {
    client.release();
  }
});

app.post('/api/bookings/:id/confirm', signedIn, async (req, res) => {
  const { rows } = await pool.query(
    `UPDATE bookings SET status = 'confirmed' WHERE id = $1 AND customer_id = $2 AND status = 'held' RETURNING *`,
    [req.params.id, req.customer.id],
  );
  if (rows.length === 0) {
    res.status(409).json({ error: 'not on hold' });
    return;
  }
  res.json(bookingOf(rows[0]));
});

app.post('/api/bookings/:id/cancel', signedIn, async (req, res) => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query(
      `UPDATE bookings SET status = 'cancelled'
         WHERE id = $1 AND customer_id = $2 AND status IN ('held', 'confirmed') RETURNING *`,
      [req.params.id, req.customer.id],
    );
    await client.query('DELETE FROM booking_nights WHERE booking_id = $1', [req.params.id]);
    await client.query(rows.length === 0 ? 'ROLLBACK' : 'COMMIT');
    if (rows.length === 0) res.status(409).json({ error: 'neither on hold nor confirmed' });
    else res.json(bookingOf(rows[0]));
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
});

// ---- what else the hostels need ---------------------------------------------------------------------------

app.post('/api/invoices', signedIn, async (req, res) => {
  const { rows } = await pool.query(
    `INSERT INTO invoices (booking_id, customer_id, amount)
       SELECT id, customer_id, total FROM bookings
         WHERE id = $1 AND customer_id = $2 AND status = 'confirmed' RETURNING *`,
    [req.body.bookingId, req.customer.id],
  );
  if (rows.length === 0) {
    res.status(409).json({ error: 'not confirmed' });
    return;
  }
  res.status(201).json({ id: rows[0].id, amount: rows[0].amount });
});

app.post('/api/reviews', signedIn, async (req, res) => {
  const { roomId, stars, body = null } = req.body;
  const { rows } = await pool.query(
    'INSERT INTO reviews (room_id, customer_id, stars, body) VALUES ($1, $2, $3, $4) RETURNING id',
    [roomId, req.customer.id, stars, body],
  );
  res.status(201).json({ id: rows[0].id });
});

app.use((error, req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  if (!error.status) console.error(error);
  res
    .status(error.status ?? 500)
    .json({ error: error.status ? error.message : 'something went wrong' });
});

const server = app.listen(Number(process.env.PORT ?? 5000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.once('SIGTERM', () => server.close(() => void pool.end()));
