CREATE TABLE "event_deliveries" (
  subscriber text NOT NULL,
  sequence integer NOT NULL,
  stream text NOT NULL,
  sent_at bigint,
  PRIMARY KEY (subscriber, sequence),
  FOREIGN KEY (sequence) REFERENCES event_outbox(sequence));
CREATE INDEX event_deliveries_due ON public.event_deliveries USING btree (sent_at, sequence);
CREATE INDEX event_deliveries_sequence ON public.event_deliveries USING btree (sequence);
CREATE INDEX event_deliveries_stream ON public.event_deliveries USING btree (subscriber, stream, sequence);

CREATE TABLE "event_outbox" (
  sequence integer NOT NULL DEFAULT nextval('event_outbox_sequence_seq'::regclass),
  id text NOT NULL,
  stream text NOT NULL,
  type text NOT NULL,
  event text NOT NULL,
  created_at bigint NOT NULL,
  UNIQUE (id),
  PRIMARY KEY (sequence));
CREATE INDEX event_outbox_stream ON public.event_outbox USING btree (stream, sequence);

CREATE TABLE "request_keys" (
  key text NOT NULL,
  request_hash text NOT NULL,
  state text NOT NULL,
  attempt_id text NOT NULL,
  lease_until bigint,
  resource_id text,
  response_status integer,
  response_body text,
  created_at bigint NOT NULL,
  PRIMARY KEY (key),
  CHECK ((state = ANY (ARRAY['in_flight'::text, 'done'::text]))));
CREATE INDEX request_keys_created_at ON public.request_keys USING btree (created_at);

CREATE TABLE "reservation_items" (
  reservation_id text NOT NULL,
  sku text NOT NULL,
  quantity integer NOT NULL,
  PRIMARY KEY (reservation_id, sku));

CREATE TABLE "reservations" (
  id text NOT NULL,
  order_id text NOT NULL,
  status text NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  UNIQUE (order_id),
  PRIMARY KEY (id),
  CHECK ((status = ANY (ARRAY['active'::text, 'committed'::text, 'released'::text]))));

CREATE TABLE "stock_adjustments" (
  id text NOT NULL,
  sku text NOT NULL,
  delta integer NOT NULL,
  reason text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (id));

CREATE TABLE "stock_holds" (
  sku text NOT NULL,
  reserved integer NOT NULL,
  PRIMARY KEY (sku),
  CHECK ((reserved >= 0)));

CREATE TABLE "stock_levels" (
  sku text NOT NULL,
  on_hand integer NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (sku),
  CHECK ((on_hand >= 0)));
