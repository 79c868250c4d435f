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
