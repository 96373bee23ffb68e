-- What a job's events have said once and don't say again.
ALTER TABLE "job" ADD COLUMN "announced" TEXT[] DEFAULT ARRAY[]::TEXT[];
