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

CREATE TABLE messages (id text,
  order_id text not null,
  customer_id text not null,
  template text not null,
  state text not null check (state in ('recorded','waiting','sent','refused')),
  attempts integer not null,
  next_attempt_at bigint not null,
  reason text,
  created_at bigint not null,
  ended_at bigint,
  primary key (id));

CREATE INDEX messages_due on messages (state, next_attempt_at);

CREATE INDEX messages_order_id on messages (order_id);
