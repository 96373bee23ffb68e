-- Who is signed in at the dashboard. Only the hash of the cookie's token is kept.
CREATE TABLE "session" (
    "id" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "key_id" TEXT,
    "key_hash" TEXT,
    "subject" TEXT,
    "person" TEXT,
    "role" TEXT NOT NULL,
    "tenant_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "session_token_hash_key" ON "session"("token_hash");
CREATE INDEX "session_expires_at_idx" ON "session"("expires_at");
