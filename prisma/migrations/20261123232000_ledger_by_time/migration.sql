-- Balances as of a moment, such as the start of a month, and statements page by page, without reading the lines between.
-- DropIndex
DROP INDEX "ledger_entry_tenant_id_account_seq_idx";

-- CreateIndex
CREATE INDEX "ledger_entry_tenant_id_account_at_seq_idx" ON "ledger_entry"("tenant_id", "account", "at" DESC, "seq" DESC);

-- CreateIndex
CREATE INDEX "ledger_entry_tenant_id_seq_idx" ON "ledger_entry"("tenant_id", "seq");
