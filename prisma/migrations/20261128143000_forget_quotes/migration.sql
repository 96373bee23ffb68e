-- Quotes that no job was made of are forgotten some time after they expired.
CREATE INDEX "quote_expires_at_idx" ON "quote"("expires_at");
CREATE INDEX "job_quote_id_idx" ON "job"("quote_id");
