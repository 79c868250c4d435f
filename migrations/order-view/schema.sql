CREATE TABLE event_failures (subscriber text not null,
  event_id text not null,
  event text not null,
  attempts integer not null,
  reason text not null,
  dead_at bigint,
  primary key (subscriber, event_id));

CREATE TABLE event_inbox (subscriber text not null,
  event_id text not null,
  received_at bigint not null,
  primary key (subscriber, event_id));

CREATE INDEX event_inbox_received_at on event_inbox (received_at);

CREATE TABLE event_positions (subscriber text not null,
  stream text not null,
  epoch bigint not null,
  sequence bigint not null,
  primary key (subscriber, stream));

CREATE TABLE order_rows (generation integer not null,
  order_id text not null,
  customer_id text not null,
  status text not null,
  items text not null,
  total bigint not null,
  currency text not null,
  payment_id text,
  created_at bigint not null,
  updated_at bigint not null,
  epoch bigint not null,
  sequence bigint not null,
  primary key (generation, order_id));

CREATE INDEX order_rows_created_at on order_rows (generation, created_at, order_id);

CREATE INDEX order_rows_customer on order_rows (generation, customer_id, created_at, order_id);

CREATE INDEX order_rows_total on order_rows (generation, total, order_id);

CREATE TABLE payment_rows (generation integer not null,
  payment_id text not null,
  status text not null,
  amount bigint not null,
  refunded_amount bigint not null,
  epoch bigint not null,
  sequence bigint not null,
  primary key (generation, payment_id));

CREATE TABLE projections (name text,
  live integer not null,
  building integer,
  started_at bigint,
  finished_at bigint,
  trouble text,
  primary key (name));

CREATE TABLE replay_cursors (projection text not null,
  archive text not null,
  position bigint not null,
  head bigint not null,
  primary key (projection, archive));

CREATE TABLE shipment_rows (generation integer not null,
  order_id text not null,
  shipped_at bigint not null,
  epoch bigint not null,
  sequence bigint not null,
  primary key (generation, order_id));

CREATE TABLE source_rows (generation integer not null,
  source text not null,
  epoch bigint not null,
  sequence bigint not null,
  primary key (generation, source));
