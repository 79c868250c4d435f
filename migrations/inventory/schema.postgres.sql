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
