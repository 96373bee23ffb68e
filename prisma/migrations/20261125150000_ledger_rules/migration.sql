-- What the accounts promise is held by the database too, whoever writes to it.

-- Of one transaction of the ledger, the lines that were written by one transaction of the database are checked together.
CREATE INDEX "ledger_entry_transaction_id_idx" ON "ledger_entry"("transaction_id");

ALTER TABLE "ledger_entry"
  ADD CONSTRAINT "ledger_entry_account_check" CHECK ("account" IN ('available', 'reserved', 'spent')),
  ADD CONSTRAINT "ledger_entry_kind_check" CHECK ("kind" IN ('reserve', 'charge', 'release', 'refund', 'adjust'));

-- Deferred: until the transaction commits, one side of a transfer may be there without the other.
CREATE FUNCTION require_ledger_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  total numeric;
BEGIN
  SELECT sum(amount_micro_usd) INTO total FROM ledger_entry
  WHERE transaction_id = NEW.transaction_id AND tenant_id = NEW.tenant_id;
  IF total <> 0 THEN
    RAISE EXCEPTION 'the lines of ledger transaction % sum to % micro-dollars, not to zero', NEW.transaction_id, total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_sums_to_zero';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entry_sums_to_zero AFTER INSERT ON "ledger_entry"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_ledger_sum();

-- A balance that was computed from an old line, or a line that is dated before the one it follows, is refused.
CREATE FUNCTION require_ledger_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last record;
BEGIN
  SELECT at, balance_micro_usd INTO last FROM ledger_entry
  WHERE tenant_id = NEW.tenant_id AND account = NEW.account ORDER BY at DESC, seq DESC LIMIT 1;
  IF NEW.balance_micro_usd <> coalesce(last.balance_micro_usd, 0) + NEW.amount_micro_usd OR NEW.at < last.at THEN
    RAISE EXCEPTION 'ledger line % does not continue account % of %', NEW.id, NEW.account, NEW.tenant_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_continues_account';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ledger_entry_continues_account BEFORE INSERT ON "ledger_entry"
  FOR EACH ROW EXECUTE FUNCTION require_ledger_balance();

CREATE TRIGGER ledger_entry_never_emptied BEFORE TRUNCATE ON "ledger_entry" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER usage_entry_never_emptied BEFORE TRUNCATE ON "usage_entry" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
