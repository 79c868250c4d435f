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

CREATE TABLE "payment_entries" (
  payment_id text NOT NULL,
  entry_id text NOT NULL,
  kind text NOT NULL,
  amount_minor bigint NOT NULL,
  at bigint NOT NULL,
  customer_id text NOT NULL DEFAULT ''::text,
  PRIMARY KEY (payment_id, entry_id),
  CHECK ((kind = ANY (ARRAY['captured'::text, 'declined'::text, 'refund_requested'::text, 'refunded'::text]))));
CREATE INDEX payment_entries_entry ON public.payment_entries USING btree (entry_id);

CREATE TABLE "payments" (
  id text NOT NULL,
  order_id text NOT NULL,
  customer_id text NOT NULL,
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  method text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (id));
CREATE INDEX payments_order ON public.payments USING btree (order_id, id);

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
  customer_id text NOT NULL DEFAULT ''::text,
  PRIMARY KEY (key),
  CHECK ((state = ANY (ARRAY['in_flight'::text, 'done'::text]))));
CREATE INDEX request_keys_created_at ON public.request_keys USING btree (created_at);
CREATE INDEX request_keys_open ON public.request_keys USING btree (lease_until) WHERE (state = 'in_flight'::text);
