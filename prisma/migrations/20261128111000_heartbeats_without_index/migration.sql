-- Each heartbeat moves the end of a lease: with that in an index it had to write all indexes of the row, and nothing looked it up there.
-- What has ended is not in the new one.
DROP INDEX "attempt_state_lease_expires_at_idx";
CREATE INDEX "attempt_state_idx" ON "attempt"("state") WHERE "finished_at" IS NULL;
