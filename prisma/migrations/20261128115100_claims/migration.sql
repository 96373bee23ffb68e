-- Each cycle asks for whom jobs make way: those are few of all attempts.
CREATE INDEX "attempt_finished_at_idx" ON "attempt"("finished_at") WHERE "preempted_for" IS NOT NULL;
