-- A job that was stopped at its maxDuration says how long it takes at least.
ALTER TABLE "quote_residual" ADD COLUMN "was_stopped" BOOLEAN NOT NULL DEFAULT false;
