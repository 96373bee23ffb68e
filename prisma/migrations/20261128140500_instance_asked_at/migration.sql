-- AlterTable
ALTER TABLE "instance" ADD COLUMN     "asked_at" TIMESTAMPTZ(3);
