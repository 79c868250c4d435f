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

CREATE TABLE payment_entries (payment_id text not null,
  entry_id text not null,
  kind text not null check (kind in ('captured','declined','refund_requested','refunded')),
  amount_minor bigint not null,
  at bigint not null,
  customer_id text not null default '',
  primary key (payment_id, entry_id));

CREATE INDEX payment_entries_entry on payment_entries (entry_id);

CREATE TABLE payments (id text,
  order_id text not null,
  customer_id text not null,
  amount_minor bigint not null,
  currency text not null,
  method text not null,
  created_at bigint not null,
  primary key (id));

CREATE INDEX payments_order on payments (order_id, id);

CREATE TABLE request_keys (key text,
  request_hash text not null,
  state text not null check (state in ('in_flight','done')),
  attempt_id text not null,
  lease_until bigint,
  resource_id text,
  response_status integer,
  response_body text,
  created_at bigint not null,
  customer_id text not null default '',
  primary key (key));

CREATE INDEX request_keys_created_at on request_keys (created_at);

CREATE INDEX request_keys_open ON request_keys (lease_until) WHERE state = 'in_flight';
