CREATE TABLE charges (payment_id text,
  reference text not null,
  method text not null,
  currency text not null,
  amount bigint not null,
  status text not null check (status in ('captured','declined')),
  requests integer not null,
  created_at bigint not null,
  primary key (payment_id));

CREATE TABLE refunds (refund_id text,
  payment_id text not null,
  amount bigint not null,
  requests integer not null,
  created_at bigint not null,
  foreign key(payment_id) references charges(payment_id),
  primary key (refund_id));

CREATE INDEX refunds_payment on refunds (payment_id);
