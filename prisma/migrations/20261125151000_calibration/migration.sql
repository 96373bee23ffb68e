-- What a residual is compared by: the kind of model, how the quote came by its figure, its range of cost, and what the linear
-- law needs. Null where a former version of weir wrote the row.
ALTER TABLE "quote_residual"
  ADD COLUMN "work_kind" TEXT NOT NULL DEFAULT 'other',
  ADD COLUMN "quoted_basis" TEXT,
  ADD COLUMN "p10_micro_usd" BIGINT,
  ADD COLUMN "p90_micro_usd" BIGINT,
  ADD COLUMN "accelerator_seconds" DOUBLE PRECISION,
  ADD COLUMN "parameters" DOUBLE PRECISION,
  ADD COLUMN "flops" DOUBLE PRECISION;

-- Jobs that have ended and whose quote has not been compared with what came.
CREATE TABLE "calibration_due" (
    "job_id" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "calibration_due_pkey" PRIMARY KEY ("job_id")
);
