CREATE TABLE "event_failures" (
  subscriber text NOT NULL,
  event_id text NOT NULL,
  event text NOT NULL,
  attempts integer NOT NULL,
  reason text NOT NULL,
  dead_at bigint,
  PRIMARY KEY (subscriber, event_id));

CREATE TABLE "event_inbox" (
  subscriber text NOT NULL,
  event_id text NOT NULL,
  received_at bigint NOT NULL,
  PRIMARY KEY (subscriber, event_id));
CREATE INDEX event_inbox_received_at ON public.event_inbox USING btree (received_at);

CREATE TABLE "event_positions" (
  subscriber text NOT NULL,
  stream text NOT NULL,
  epoch bigint NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (subscriber, stream));

CREATE TABLE "order_rows" (
  generation integer NOT NULL,
  order_id text NOT NULL,
  customer_id text NOT NULL,
  status text NOT NULL,
  items text NOT NULL,
  total bigint NOT NULL,
  currency text NOT NULL,
  payment_id text,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  epoch bigint NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (generation, order_id));
CREATE INDEX order_rows_created_at ON public.order_rows USING btree (generation, created_at, order_id);
CREATE INDEX order_rows_customer ON public.order_rows USING btree (generation, customer_id, created_at, order_id);
CREATE INDEX order_rows_total ON public.order_rows USING btree (generation, total, order_id);

CREATE TABLE "payment_rows" (
  generation integer NOT NULL,
  payment_id text NOT NULL,
  status text NOT NULL,
  amount bigint NOT NULL,
  refunded_amount bigint NOT NULL,
  epoch bigint NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (generation, payment_id));

CREATE TABLE "projections" (
  name text NOT NULL,
  live integer NOT NULL,
  building integer,
  started_at bigint,
  finished_at bigint,
  trouble text,
  PRIMARY KEY (name));

CREATE TABLE "replay_cursors" (
  projection text NOT NULL,
  archive text NOT NULL,
  "position" bigint NOT NULL,
  head bigint NOT NULL,
  PRIMARY KEY (projection, archive));

CREATE TABLE "shipment_rows" (
  generation integer NOT NULL,
  order_id text NOT NULL,
  shipped_at bigint NOT NULL,
  epoch bigint NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (generation, order_id));

CREATE TABLE "source_rows" (
  generation integer NOT NULL,
  source text NOT NULL,
  epoch bigint NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (generation, source));
