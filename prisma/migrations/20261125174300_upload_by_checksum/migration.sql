-- The upload that has these bytes already.
CREATE INDEX "upload_tenant_id_sha256_idx" ON "upload" ("tenant_id", "sha256");
