CREATE TABLE "charges" (
  payment_id text NOT NULL,
  reference text NOT NULL,
  method text NOT NULL,
  currency text NOT NULL,
  amount bigint NOT NULL,
  status text NOT NULL,
  requests integer NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (payment_id),
  CHECK ((status = ANY (ARRAY['captured'::text, 'declined'::text]))));

CREATE TABLE "refunds" (
  refund_id text NOT NULL,
  payment_id text NOT NULL,
  amount bigint NOT NULL,
  requests integer NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (refund_id),
  FOREIGN KEY (payment_id) REFERENCES charges(payment_id));
CREATE INDEX refunds_payment ON public.refunds USING btree (payment_id);
