-- A quote of hundreds of options is 180 kB of text, which takes PostgreSQL longer to check and to compress than all else that
-- is done for it. It comes packed (zstd) from now on; those stored before stay as they are.
ALTER TABLE "quote" ADD COLUMN "packed" BYTEA, ALTER COLUMN "answer" DROP NOT NULL;
ALTER TABLE "quote" ALTER COLUMN "packed" SET STORAGE EXTERNAL;
