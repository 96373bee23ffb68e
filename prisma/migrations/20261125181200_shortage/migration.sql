-- What providers did not have, or did not give, lately.
CREATE TABLE "shortage" (
  "id" TEXT NOT NULL,
  "provider" TEXT NOT NULL,
  "region" TEXT,
  "zone" TEXT,
  "machine_type" TEXT,
  "kind" TEXT,
  "market" TEXT,
  "cause" TEXT NOT NULL,
  "message" TEXT NOT NULL,
  "zones_available" TEXT[] DEFAULT ARRAY[]::TEXT[],
  "weight" DOUBLE PRECISION NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  "held_until" TIMESTAMPTZ(3) NOT NULL,
  "probed_at" TIMESTAMPTZ(3),
  CONSTRAINT "shortage_pkey" PRIMARY KEY ("id")
);
