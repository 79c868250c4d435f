CREATE TABLE "CAT_PROD" (
  "SKU_CD" text NOT NULL,
  "PROD_NM" text NOT NULL,
  "PRC_AMT" text NOT NULL,
  "CURR_CD" text NOT NULL,
  PRIMARY KEY ("SKU_CD"));

CREATE TABLE "CUS_MST" (
  "CUST_NO" text NOT NULL,
  "CUST_NM" text NOT NULL,
  "CTRY" text NOT NULL,
  PRIMARY KEY ("CUST_NO"));

CREATE TABLE "INV_ADJ" (
  "ADJ_NO" text NOT NULL,
  "SKU_CD" text NOT NULL,
  "DLT_QTY" integer NOT NULL,
  "RSN_TXT" text NOT NULL,
  "CRT_TS" text NOT NULL,
  PRIMARY KEY ("ADJ_NO"));

CREATE TABLE "INV_IDEM" (
  "IDEM_KEY" text NOT NULL,
  "REQ_HASH" text NOT NULL,
  "STATE_CD" text NOT NULL,
  "ATT_ID" text NOT NULL,
  "LEASE_TS" bigint,
  "RES_ID" text,
  "HTTP_STAT" integer,
  "RESP_TXT" text,
  "CRT_TS" text NOT NULL,
  PRIMARY KEY ("IDEM_KEY"),
  CHECK (("STATE_CD" = ANY (ARRAY['I'::text, 'D'::text]))));
CREATE INDEX "INV_IDEM_CRT" ON public."INV_IDEM" USING btree ("CRT_TS");

CREATE TABLE "INV_RSV" (
  "RSV_NO" text NOT NULL,
  "ORD_NO" text NOT NULL,
  "STAT_CD" text NOT NULL,
  "CRT_TS" text NOT NULL,
  "UPD_TS" text NOT NULL,
  UNIQUE ("ORD_NO"),
  PRIMARY KEY ("RSV_NO"),
  CHECK (("STAT_CD" = ANY (ARRAY['A'::text, 'C'::text, 'R'::text]))));

CREATE TABLE "INV_RSV_LIN" (
  "RSV_NO" text NOT NULL,
  "SKU_CD" text NOT NULL,
  "QTY" integer NOT NULL,
  PRIMARY KEY ("RSV_NO", "SKU_CD"));

CREATE TABLE "INV_STOCK" (
  "SKU_CD" text NOT NULL,
  "QTY_OH" integer NOT NULL,
  "QTY_RSV" integer NOT NULL,
  "UPD_TS" text NOT NULL,
  PRIMARY KEY ("SKU_CD"),
  CHECK (("QTY_OH" >= 0)),
  CHECK (("QTY_RSV" <= "QTY_OH")),
  CHECK (("QTY_RSV" >= 0)));

CREATE TABLE "NTF_MSG" (
  "EVT_ID" text NOT NULL,
  "ORD_NO" text NOT NULL,
  "CUST_NO" text NOT NULL,
  "TMPL_CD" text NOT NULL,
  "CRT_TS" text NOT NULL,
  PRIMARY KEY ("EVT_ID"));

CREATE TABLE "ORD_HDR" (
  "ORD_NO" text NOT NULL,
  "CUST_NO" text NOT NULL,
  "STAT_CD" text NOT NULL,
  "TOT_AMT" text NOT NULL,
  "CURR_CD" text NOT NULL,
  "METH_CD" text NOT NULL,
  "PAY_NO" text,
  "RSV_NO" text,
  "CRT_TS" text NOT NULL,
  "UPD_TS" text NOT NULL,
  PRIMARY KEY ("ORD_NO"),
  CHECK (("STAT_CD" = ANY (ARRAY['P'::text, 'C'::text, 'R'::text, 'D'::text, 'X'::text, 'Z'::text]))));
CREATE INDEX "ORD_HDR_CUST" ON public."ORD_HDR" USING btree ("CUST_NO", "ORD_NO");

CREATE TABLE "ORD_IDEM" (
  "IDEM_KEY" text NOT NULL,
  "REQ_HASH" text NOT NULL,
  "STATE_CD" text NOT NULL,
  "ATT_ID" text NOT NULL,
  "LEASE_TS" bigint,
  "RES_ID" text,
  "HTTP_STAT" integer,
  "RESP_TXT" text,
  "CRT_TS" text NOT NULL,
  PRIMARY KEY ("IDEM_KEY"),
  CHECK (("STATE_CD" = ANY (ARRAY['I'::text, 'D'::text]))));
CREATE INDEX "ORD_IDEM_CRT" ON public."ORD_IDEM" USING btree ("CRT_TS");

CREATE TABLE "ORD_LIN" (
  "ORD_NO" text NOT NULL,
  "LIN_NO" integer NOT NULL,
  "SKU_CD" text NOT NULL,
  "QTY" integer NOT NULL,
  "UNIT_AMT" text NOT NULL,
  PRIMARY KEY ("ORD_NO", "LIN_NO"),
  FOREIGN KEY ("ORD_NO") REFERENCES "ORD_HDR"("ORD_NO"));

CREATE TABLE "ORD_SAGA" (
  "SAGA_ID" text NOT NULL,
  "TYPE_CD" text NOT NULL,
  "STAT_CD" text NOT NULL,
  "STEP_NO" integer NOT NULL,
  "DATA_TXT" text NOT NULL,
  "FAIL_CNT" integer NOT NULL,
  "WRK_ID" text NOT NULL,
  "LEASE_TS" bigint NOT NULL,
  "CRT_TS" text NOT NULL,
  "UPD_TS" text NOT NULL,
  "PERM_CNT" integer NOT NULL DEFAULT 0,
  "STCK_RSN" text,
  "STCK_TS" bigint,
  "PERM_TS" bigint,
  "VER_NO" integer NOT NULL DEFAULT 1,
  "UNK_FLG" integer NOT NULL DEFAULT 0,
  "ATT_NO" integer NOT NULL DEFAULT 1,
  "INT_TS" bigint,
  "FAIL_TS" bigint,
  PRIMARY KEY ("SAGA_ID"),
  CHECK (("STAT_CD" = ANY (ARRAY['F'::text, 'B'::text, 'C'::text, 'X'::text]))));
CREATE INDEX "ORD_SAGA_OPEN" ON public."ORD_SAGA" USING btree ("TYPE_CD", "LEASE_TS") WHERE ("STAT_CD" = ANY (ARRAY['F'::text, 'B'::text]));
CREATE INDEX "ORD_SAGA_STCK" ON public."ORD_SAGA" USING btree ("STCK_TS") WHERE ("STCK_TS" IS NOT NULL);

CREATE TABLE "ORD_SAGA_LOG" (
  "SAGA_ID" text NOT NULL,
  "SEQ_NO" integer NOT NULL,
  "STEP_NM" text NOT NULL,
  "DIR_CD" text NOT NULL,
  "RES_TXT" text NOT NULL,
  "RSN_TXT" text,
  "ATT_NO" integer NOT NULL,
  "CNT" integer NOT NULL,
  "BEG_TS" bigint NOT NULL,
  "END_TS" bigint NOT NULL,
  PRIMARY KEY ("SAGA_ID", "SEQ_NO"),
  CHECK (("DIR_CD" = ANY (ARRAY['F'::text, 'B'::text]))));

CREATE TABLE "PAY_IDEM" (
  "IDEM_KEY" text NOT NULL,
  "REQ_HASH" text NOT NULL,
  "STATE_CD" text NOT NULL,
  "ATT_ID" text NOT NULL,
  "LEASE_TS" bigint,
  "RES_ID" text,
  "HTTP_STAT" integer,
  "RESP_TXT" text,
  "CRT_TS" text NOT NULL,
  "CUST_NO" text NOT NULL DEFAULT ''::text,
  PRIMARY KEY ("IDEM_KEY"),
  CHECK (("STATE_CD" = ANY (ARRAY['I'::text, 'D'::text]))));
CREATE INDEX "PAY_IDEM_CRT" ON public."PAY_IDEM" USING btree ("CRT_TS");
CREATE INDEX "PAY_IDEM_OPEN" ON public."PAY_IDEM" USING btree ("LEASE_TS") WHERE ("STATE_CD" = 'I'::text);

CREATE TABLE "PAY_RFND" (
  "RFND_NO" text NOT NULL,
  "PAY_NO" text NOT NULL,
  "AMT_TXT" text NOT NULL,
  "STAT_CD" text NOT NULL,
  "CRT_TS" text NOT NULL,
  "UPD_TS" text NOT NULL,
  "CUST_NO" text NOT NULL DEFAULT ''::text,
  PRIMARY KEY ("RFND_NO"),
  CHECK (("STAT_CD" = ANY (ARRAY['P'::text, 'S'::text]))));
CREATE INDEX "PAY_RFND_PAY" ON public."PAY_RFND" USING btree ("PAY_NO");

CREATE TABLE "PAY_TXN" (
  "PAY_NO" text NOT NULL,
  "ORD_NO" text NOT NULL,
  "CUST_NO" text NOT NULL,
  "AMT_TXT" text NOT NULL,
  "CURR_CD" text NOT NULL,
  "METH_CD" text NOT NULL,
  "STAT_CD" text NOT NULL,
  "CRT_TS" text NOT NULL,
  "UPD_TS" text NOT NULL,
  PRIMARY KEY ("PAY_NO"),
  CHECK (("STAT_CD" = ANY (ARRAY['P'::text, 'S'::text, 'D'::text]))));
CREATE INDEX "PAY_TXN_ORD" ON public."PAY_TXN" USING btree ("ORD_NO");

CREATE TABLE "SHP_HDR" (
  "ORD_NO" text NOT NULL,
  "CUST_NO" text NOT NULL,
  "STAT_CD" text NOT NULL,
  "CRT_TS" text NOT NULL,
  "UPD_TS" text NOT NULL,
  "SHIP_TS" text,
  PRIMARY KEY ("ORD_NO"),
  CHECK (("STAT_CD" = ANY (ARRAY['R'::text, 'X'::text]))));
CREATE INDEX "SHP_HDR_OPEN" ON public."SHP_HDR" USING btree ("CRT_TS") WHERE (("STAT_CD" = 'R'::text) AND ("SHIP_TS" IS NULL));

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

CREATE TABLE "event_positions" (
  subscriber text NOT NULL,
  stream text NOT NULL,
  epoch bigint NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (subscriber, stream));
