ALTER TABLE "job" ADD COLUMN "held" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "array_id" TEXT,
  ADD COLUMN "array_index" INTEGER;

CREATE UNIQUE INDEX "job_array_id_array_index_key" ON "job"("array_id", "array_index");
CREATE INDEX "job_array_id_state_idx" ON "job"("array_id", "state");

CREATE TABLE "job_array" (
    "job_id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "tasks" INTEGER NOT NULL,
    "unmade" INTEGER NOT NULL,
    "succeeded" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,
    "cancelled" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "job_array_pkey" PRIMARY KEY ("job_id")
);

CREATE INDEX "job_array_unmade_idx" ON "job_array"("unmade");

CREATE TABLE "job_dependency" (
    "job_id" TEXT NOT NULL,
    "depends_on_id" TEXT NOT NULL,
    "condition" TEXT NOT NULL,
    "state" TEXT NOT NULL,

    CONSTRAINT "job_dependency_pkey" PRIMARY KEY ("job_id", "depends_on_id")
);

CREATE INDEX "job_dependency_depends_on_id_state_idx" ON "job_dependency"("depends_on_id", "state");
CREATE INDEX "job_dependency_state_idx" ON "job_dependency"("state");
