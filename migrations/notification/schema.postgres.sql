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

CREATE TABLE "messages" (
  id text NOT NULL,
  order_id text NOT NULL,
  customer_id text NOT NULL,
  template text NOT NULL,
  state text NOT NULL,
  attempts integer NOT NULL,
  next_attempt_at bigint NOT NULL,
  reason text,
  created_at bigint NOT NULL,
  ended_at bigint,
  PRIMARY KEY (id),
  CHECK ((state = ANY (ARRAY['recorded'::text, 'waiting'::text, 'sent'::text, 'refused'::text]))));
CREATE INDEX messages_due ON public.messages USING btree (state, next_attempt_at);
CREATE INDEX messages_order_id ON public.messages USING btree (order_id);
