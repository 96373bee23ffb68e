-- CreateTable
CREATE TABLE "quote_residual" (
    "job_id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "job_name" TEXT NOT NULL,
    "basis" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "log_ratio" DOUBLE PRECISION NOT NULL,
    "predicted_seconds" DOUBLE PRECISION NOT NULL,
    "p10_seconds" DOUBLE PRECISION NOT NULL,
    "p90_seconds" DOUBLE PRECISION NOT NULL,
    "actual_seconds" DOUBLE PRECISION NOT NULL,
    "predicted_micro_usd" BIGINT NOT NULL,
    "actual_micro_usd" BIGINT NOT NULL,
    "finished_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "quote_residual_pkey" PRIMARY KEY ("job_id")
);

-- CreateIndex
CREATE INDEX "quote_residual_tenant_id_job_name_finished_at_idx" ON "quote_residual"("tenant_id", "job_name", "finished_at" DESC);

-- CreateIndex
CREATE INDEX "quote_residual_tenant_id_finished_at_idx" ON "quote_residual"("tenant_id", "finished_at" DESC);

-- CreateIndex
CREATE INDEX "quote_residual_finished_at_idx" ON "quote_residual"("finished_at" DESC);
