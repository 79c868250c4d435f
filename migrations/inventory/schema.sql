CREATE TABLE event_deliveries (subscriber text not null,
  sequence integer not null,
  stream text not null,
  sent_at bigint,
  foreign key(sequence) references event_outbox(sequence),
  primary key (subscriber, sequence));

CREATE INDEX event_deliveries_due on event_deliveries (sent_at, sequence);

CREATE INDEX event_deliveries_sequence on event_deliveries (sequence);

CREATE INDEX event_deliveries_stream on event_deliveries (subscriber, stream, sequence);

CREATE TABLE event_outbox (sequence integer not null primary key autoincrement,
  id text not null,
  stream text not null,
  type text not null,
  event text not null,
  created_at bigint not null);

CREATE UNIQUE INDEX event_outbox_id_unique on event_outbox (id);

CREATE INDEX event_outbox_stream on event_outbox (stream, sequence);

CREATE TABLE request_keys (key text,
  request_hash text not null,
  state text not null check (state in ('in_flight','done')),
  attempt_id text not null,
  lease_until bigint,
  resource_id text,
  response_status integer,
  response_body text,
  created_at bigint not null,
  primary key (key));

CREATE INDEX request_keys_created_at on request_keys (created_at);

CREATE TABLE reservation_items (reservation_id text not null,
  sku text not null,
  quantity integer not null,
  primary key (reservation_id, sku));

CREATE TABLE reservations (id text,
  order_id text not null,
  status text not null check (status in ('active','committed','released')),
  created_at bigint not null,
  updated_at bigint not null,
  primary key (id));

CREATE UNIQUE INDEX reservations_order_id_unique on reservations (order_id);

CREATE TABLE stock_adjustments (id text,
  sku text not null,
  delta integer not null,
  reason text not null,
  created_at bigint not null,
  primary key (id));

CREATE TABLE stock_holds (sku text,
  reserved integer not null,
  primary key (sku),
  check (reserved >= 0));

CREATE TABLE stock_levels (sku text,
  on_hand integer not null,
  updated_at bigint not null,
  primary key (sku),
  check (on_hand >= 0));
