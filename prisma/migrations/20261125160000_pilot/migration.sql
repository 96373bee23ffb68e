-- Which job is the pilot of a quote; written with the quote, before the job.
CREATE TABLE "pilot" (
    "quote_id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "pilot_pkey" PRIMARY KEY ("quote_id")
);

CREATE UNIQUE INDEX "pilot_job_id_key" ON "pilot"("job_id");
CREATE INDEX "pilot_ended_at_since_idx" ON "pilot"("ended_at", "since");
