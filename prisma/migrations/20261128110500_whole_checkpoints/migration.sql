ALTER TABLE "artifact" ADD COLUMN "named_at" TIMESTAMPTZ(3), ADD COLUMN "superseded_at" TIMESTAMPTZ(3);

-- What was stored before is what jobs go on from until their runners name more.
UPDATE "artifact" SET "named_at" = "verified_at" WHERE "kind" = 'checkpoint' AND "verified_at" IS NOT NULL;

CREATE INDEX "artifact_superseded_at_idx" ON "artifact"("superseded_at");
