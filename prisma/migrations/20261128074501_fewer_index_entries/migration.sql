-- Nearly all jobs are no tasks and have no labels: they are in none of these indexes any more, which each submission and each
-- move had to write.
DROP INDEX "job_array_id_array_index_key";
CREATE UNIQUE INDEX "job_array_id_array_index_key" ON "job"("array_id", "array_index") WHERE "array_id" IS NOT NULL;
DROP INDEX "job_array_id_state_idx";
CREATE INDEX "job_array_id_state_idx" ON "job"("array_id", "state") WHERE "array_id" IS NOT NULL;
DROP INDEX "job_labels_idx";
CREATE INDEX "job_labels_idx" ON "job" USING gin (("spec" -> 'labels')) WHERE ("spec" -> 'labels') IS NOT NULL;
