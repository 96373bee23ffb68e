-- A tenant's list shows jobs without tasks, or the tasks of one array: a list of fifty must not read past a hundred thousand.
CREATE INDEX "job_tenant_id_array_id_id_idx" ON "job"("tenant_id", "array_id", "id" DESC);
DROP INDEX "job_tenant_id_id_idx";
