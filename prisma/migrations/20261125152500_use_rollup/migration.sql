-- Use summed up by hour, day and month, so that a share of a year is read from some rows a tenant and not from every stretch.

-- CreateTable
CREATE TABLE "use_rollup" (
    "dimension" TEXT NOT NULL,
    "grain" TEXT NOT NULL,
    "start" TIMESTAMPTZ(3) NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "accelerator_seconds" DOUBLE PRECISION NOT NULL,
    "petaflop_seconds" DOUBLE PRECISION NOT NULL,
    "micro_usd" BIGINT NOT NULL,

    CONSTRAINT "use_rollup_pkey" PRIMARY KEY ("dimension","grain","start","tenant_id","value")
);

-- CreateTable
CREATE TABLE "rollup_pending" (
    "id" BIGSERIAL NOT NULL,
    "entry_id" BIGINT,
    "attempt_id" TEXT,

    CONSTRAINT "rollup_pending_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "use_rollup_tenant_id_dimension_grain_start_idx" ON "use_rollup"("tenant_id", "dimension", "grain", "start");

-- The rows of the hour, day and month that pass are written again and again: in place, where their page has room.
ALTER TABLE "use_rollup" SET (fillfactor = 70);

-- Each stretch lies within one hour of UTC, so that it is summed up where it belongs as a whole. What was written before is cut at
-- the hours, its micro-dollars by the difference of rounded sums, so that none is lost.
ALTER TABLE "usage_entry" DISABLE TRIGGER USER;
WITH crossing AS (
  DELETE FROM "usage_entry" WHERE "to" > date_trunc('hour', "from", 'UTC') + interval '1 hour' RETURNING *
), piece AS (
  SELECT c.*, greatest(c."from", h.start) AS since, least(c."to", h.start + interval '1 hour') AS until,
    extract(epoch FROM c."to" - c."from")::float8 AS seconds
  FROM crossing c
  CROSS JOIN LATERAL generate_series(date_trunc('hour', c."from", 'UTC'), c."to", interval '1 hour') AS h(start)
  WHERE h.start < c."to"
), part AS (
  SELECT piece.*, extract(epoch FROM since - "from")::float8 / seconds AS before,
    extract(epoch FROM until - "from")::float8 / seconds AS after
  FROM piece
)
INSERT INTO "usage_entry" ("tenant_id", "job_id", "attempt", "instance_id", "provider", "region", "kind", "from", "to",
  "accelerator_seconds", "petaflop_seconds", "micro_usd")
SELECT "tenant_id", "job_id", "attempt", "instance_id", "provider", "region", "kind", since, until,
  "accelerator_seconds" * (after - before), "petaflop_seconds" * (after - before),
  round("micro_usd" * after)::bigint - round("micro_usd" * before)::bigint
FROM part;
ALTER TABLE "usage_entry" ENABLE TRIGGER USER;
ALTER TABLE "usage_entry"
  ADD CONSTRAINT "usage_entry_within_an_hour" CHECK ("to" >= "from" AND "to" <= date_trunc('hour', "from", 'UTC') + interval '1 hour');

-- Whoever writes use, or ends an attempt, also says that it is to be summed up: no writer can forget it.
CREATE FUNCTION note_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO rollup_pending (entry_id) SELECT id FROM written;
  RETURN NULL;
END $$;
CREATE TRIGGER usage_entry_to_roll_up AFTER INSERT ON "usage_entry"
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION note_use();

CREATE FUNCTION note_ended_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO rollup_pending (attempt_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER attempt_to_roll_up AFTER UPDATE OF "finished_at" ON "attempt" FOR EACH ROW
  WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION note_ended_attempt();

INSERT INTO "rollup_pending" ("entry_id") SELECT "id" FROM "usage_entry" ORDER BY "id";
INSERT INTO "rollup_pending" ("attempt_id") SELECT "id" FROM "attempt" WHERE "finished_at" IS NOT NULL ORDER BY "id";
