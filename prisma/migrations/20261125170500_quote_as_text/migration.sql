-- Nobody asks the database what a quote says: kept as the text that was answered, it is not parsed to be stored.
ALTER TABLE "quote" ALTER COLUMN "answer" TYPE JSON USING "answer"::json;
