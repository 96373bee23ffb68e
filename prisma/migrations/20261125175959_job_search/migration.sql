-- Lists of jobs are filtered on the server: by what this index has without a look at the rows, and by labels.
CREATE INDEX "job_array_id_id_tenant_id_state_name_idx" ON "job"("array_id", "id" DESC, "tenant_id", "state", "name");
CREATE INDEX "job_labels_idx" ON "job" USING gin (("spec" -> 'labels'));
