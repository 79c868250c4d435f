/** The shop's schemas (see `shop`) as somebody would write them for PostgreSQL. */
export const postgresShopSchema = {
  legacy: `
    CREATE TABLE "STOCK" ("SKU" TEXT PRIMARY KEY, "QTY" BIGINT NOT NULL CHECK ("QTY" >= 0),
      "RSV" INTEGER NOT NULL DEFAULT 0 CHECK ("RSV" <= "QTY"), "NOTE" TEXT);
    CREATE TABLE "LINES" ("DOC" TEXT NOT NULL, "NO" INTEGER NOT NULL, "SLUG" TEXT UNIQUE,
      "DATA" BYTEA, PRIMARY KEY ("DOC", "NO"));
    CREATE TABLE "PAY" ("PAY_NO" TEXT PRIMARY KEY, "AMT" NUMERIC(12, 2) NOT NULL,
      "STAT" TEXT NOT NULL, "CRT" TIMESTAMP(3) NOT NULL, "UPD" TIMESTAMPTZ NOT NULL);
    CREATE TABLE "RFND" ("RFND_NO" TEXT PRIMARY KEY, "PAY_NO" TEXT NOT NULL,
      "AMT" NUMERIC(12, 2) NOT NULL, "STAT" TEXT NOT NULL, "CRT" TIMESTAMP(3) NOT NULL,
      "UPD" TIMESTAMPTZ NOT NULL);`,
  extracted: `
    CREATE TABLE levels (sku TEXT PRIMARY KEY, on_hand BIGINT NOT NULL, note TEXT);
    CREATE TABLE holds (sku TEXT PRIMARY KEY, reserved INTEGER NOT NULL);
    CREATE TABLE lines (doc TEXT NOT NULL, no INTEGER NOT NULL, slug TEXT UNIQUE, data BYTEA,
      PRIMARY KEY (doc, no));
    CREATE TABLE payments (id TEXT PRIMARY KEY, amount BIGINT NOT NULL, created_at BIGINT NOT NULL);
    CREATE TABLE entries (payment_id TEXT NOT NULL, entry_id TEXT NOT NULL, kind TEXT NOT NULL,
      amount BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (payment_id, entry_id));
    CREATE INDEX entries_by_entry ON entries (entry_id);`,
} as const;
