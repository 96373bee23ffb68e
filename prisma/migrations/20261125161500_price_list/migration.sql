-- CreateTable
CREATE TABLE "price_list" (
    "provider" TEXT NOT NULL,
    "read_at" TIMESTAMPTZ(3) NOT NULL,
    "prices" JSONB NOT NULL,

    CONSTRAINT "price_list_pkey" PRIMARY KEY ("provider")
);
