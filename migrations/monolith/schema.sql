CREATE TABLE CAT_PROD (SKU_CD text,
  PROD_NM text not null,
  PRC_AMT text not null,
  CURR_CD text not null,
  primary key (SKU_CD));

CREATE TABLE CUS_MST (CUST_NO text,
  CUST_NM text not null,
  CTRY text not null,
  primary key (CUST_NO));

CREATE TABLE INV_ADJ (ADJ_NO text,
  SKU_CD text not null,
  DLT_QTY integer not null,
  RSN_TXT text not null,
  CRT_TS text not null,
  primary key (ADJ_NO));

CREATE TABLE INV_IDEM (IDEM_KEY text,
  REQ_HASH text not null,
  STATE_CD text not null check (STATE_CD in ('I','D')),
  ATT_ID text not null,
  LEASE_TS bigint,
  RES_ID text,
  HTTP_STAT integer,
  RESP_TXT text,
  CRT_TS text not null,
  primary key (IDEM_KEY));

CREATE INDEX INV_IDEM_CRT on INV_IDEM (CRT_TS);

CREATE TABLE INV_RSV (RSV_NO text,
  ORD_NO text not null,
  STAT_CD text not null check (STAT_CD in ('A','C','R')),
  CRT_TS text not null,
  UPD_TS text not null,
  primary key (RSV_NO));

CREATE UNIQUE INDEX inv_rsv_ord_no_unique on INV_RSV (ORD_NO);

CREATE TABLE INV_RSV_LIN (RSV_NO text not null,
  SKU_CD text not null,
  QTY integer not null,
  primary key (RSV_NO, SKU_CD));

CREATE TABLE INV_STOCK (SKU_CD text,
  QTY_OH integer not null,
  QTY_RSV integer not null,
  UPD_TS text not null,
  primary key (SKU_CD),
  check (QTY_OH >= 0),
  check (QTY_RSV >= 0),
  check (QTY_RSV <= QTY_OH));

CREATE TABLE NTF_MSG (EVT_ID text,
  ORD_NO text not null,
  CUST_NO text not null,
  TMPL_CD text not null,
  CRT_TS text not null,
  primary key (EVT_ID));

CREATE TABLE ORD_HDR (ORD_NO text,
  CUST_NO text not null,
  STAT_CD text not null check (STAT_CD in ('P','C','R','D','X','Z')),
  TOT_AMT text not null,
  CURR_CD text not null,
  METH_CD text not null,
  PAY_NO text,
  RSV_NO text,
  CRT_TS text not null,
  UPD_TS text not null,
  primary key (ORD_NO));

CREATE INDEX ORD_HDR_CUST on ORD_HDR (CUST_NO, ORD_NO);

CREATE TABLE ORD_IDEM (IDEM_KEY text,
  REQ_HASH text not null,
  STATE_CD text not null check (STATE_CD in ('I','D')),
  ATT_ID text not null,
  LEASE_TS bigint,
  RES_ID text,
  HTTP_STAT integer,
  RESP_TXT text,
  CRT_TS text not null,
  primary key (IDEM_KEY));

CREATE INDEX ORD_IDEM_CRT on ORD_IDEM (CRT_TS);

CREATE TABLE ORD_LIN (ORD_NO text not null,
  LIN_NO integer not null,
  SKU_CD text not null,
  QTY integer not null,
  UNIT_AMT text not null,
  foreign key(ORD_NO) references ORD_HDR(ORD_NO),
  primary key (ORD_NO, LIN_NO));

CREATE TABLE ORD_SAGA (SAGA_ID text,
  TYPE_CD text not null,
  STAT_CD text not null check (STAT_CD in ('F','B','C','X')),
  STEP_NO integer not null,
  DATA_TXT text not null,
  FAIL_CNT integer not null,
  WRK_ID text not null,
  LEASE_TS bigint not null,
  CRT_TS text not null,
  UPD_TS text not null,
  PERM_CNT integer not null default '0',
  STCK_RSN text,
  STCK_TS bigint,
  PERM_TS bigint,
  VER_NO integer not null default '1',
  UNK_FLG integer not null default '0',
  ATT_NO integer not null default '1',
  INT_TS bigint,
  FAIL_TS bigint,
  primary key (SAGA_ID));

CREATE INDEX ORD_SAGA_OPEN ON ORD_SAGA (TYPE_CD, LEASE_TS) WHERE STAT_CD IN ('F', 'B');

CREATE INDEX ORD_SAGA_STCK ON ORD_SAGA (STCK_TS) WHERE STCK_TS IS NOT NULL;

CREATE TABLE ORD_SAGA_LOG (SAGA_ID text not null,
  SEQ_NO integer not null,
  STEP_NM text not null,
  DIR_CD text not null check (DIR_CD in ('F','B')),
  RES_TXT text not null,
  RSN_TXT text,
  ATT_NO integer not null,
  CNT integer not null,
  BEG_TS bigint not null,
  END_TS bigint not null,
  primary key (SAGA_ID, SEQ_NO));

CREATE TABLE PAY_IDEM (IDEM_KEY text,
  REQ_HASH text not null,
  STATE_CD text not null check (STATE_CD in ('I','D')),
  ATT_ID text not null,
  LEASE_TS bigint,
  RES_ID text,
  HTTP_STAT integer,
  RESP_TXT text,
  CRT_TS text not null,
  CUST_NO text not null default '',
  primary key (IDEM_KEY));

CREATE INDEX PAY_IDEM_CRT on PAY_IDEM (CRT_TS);

CREATE INDEX PAY_IDEM_OPEN ON PAY_IDEM (LEASE_TS) WHERE STATE_CD = 'I';

CREATE TABLE PAY_RFND (RFND_NO text,
  PAY_NO text not null,
  AMT_TXT text not null,
  STAT_CD text not null check (STAT_CD in ('P','S')),
  CRT_TS text not null,
  UPD_TS text not null,
  CUST_NO text not null default '',
  primary key (RFND_NO));

CREATE INDEX PAY_RFND_PAY on PAY_RFND (PAY_NO);

CREATE TABLE PAY_TXN (PAY_NO text,
  ORD_NO text not null,
  CUST_NO text not null,
  AMT_TXT text not null,
  CURR_CD text not null,
  METH_CD text not null,
  STAT_CD text not null check (STAT_CD in ('P','S','D')),
  CRT_TS text not null,
  UPD_TS text not null,
  primary key (PAY_NO));

CREATE INDEX PAY_TXN_ORD on PAY_TXN (ORD_NO);

CREATE TABLE SHP_HDR (ORD_NO text,
  CUST_NO text not null,
  STAT_CD text not null check (STAT_CD in ('R','X')),
  CRT_TS text not null,
  UPD_TS text not null,
  SHIP_TS text,
  primary key (ORD_NO));

CREATE INDEX SHP_HDR_OPEN ON SHP_HDR (CRT_TS) WHERE STAT_CD = 'R' AND SHIP_TS IS NULL;

CREATE TABLE event_deliveries (subscriber text not null,
  sequence integer not null,
  stream text not null,
  sent_at bigint,
  foreign key(sequence) references event_outbox(sequence),
  primary key (subscriber, sequence));

CREATE INDEX event_deliveries_due on event_deliveries (sent_at, sequence);

CREATE INDEX event_deliveries_sequence on event_deliveries (sequence);

CREATE INDEX event_deliveries_stream on event_deliveries (subscriber, stream, sequence);

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

CREATE TABLE event_outbox (sequence integer not null primary key autoincrement,
  id text not null,
  stream text not null,
  type text not null,
  event text not null,
  created_at bigint not null);

CREATE UNIQUE INDEX event_outbox_id_unique on event_outbox (id);

CREATE INDEX event_outbox_stream on event_outbox (stream, sequence);

CREATE TABLE event_positions (subscriber text not null,
  stream text not null,
  epoch bigint not null,
  sequence bigint not null,
  primary key (subscriber, stream));
