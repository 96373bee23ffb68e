-- The log of a job that has ended moves into the bucket; its chunks say where they lie in which object.
ALTER TABLE "log_chunk" ADD COLUMN "data_bytes" INTEGER;
UPDATE "log_chunk" SET "data_bytes" = octet_length("data");
ALTER TABLE "log_chunk"
  ALTER COLUMN "data_bytes" SET NOT NULL,
  ALTER COLUMN "data" DROP NOT NULL,
  ADD COLUMN "object_key" TEXT,
  ADD COLUMN "object_offset" BIGINT,
  ADD CONSTRAINT "log_chunk_somewhere" CHECK (("data" IS NULL) = ("object_key" IS NOT NULL AND "object_offset" IS NOT NULL));

-- Finds what is still to move without reading what has moved.
CREATE INDEX "log_chunk_object_key_job_id_idx" ON "log_chunk" ("object_key", "job_id");
