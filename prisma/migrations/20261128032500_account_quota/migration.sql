-- The limits of the operator's account with each provider, as last read.
CREATE TABLE "account_quota" (
  "provider" TEXT NOT NULL,
  "read_at" TIMESTAMPTZ(3) NOT NULL,
  "quotas" JSONB NOT NULL,
  "unknown" JSONB NOT NULL,
  CONSTRAINT "account_quota_pkey" PRIMARY KEY ("provider")
);
