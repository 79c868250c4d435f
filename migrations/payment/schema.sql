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
