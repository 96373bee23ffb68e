-- Quotes and specs of a few kilobytes stay in their row: compressing them and writing them to a second table cost a submission
-- more than the room they take.
ALTER TABLE "quote" SET (toast_tuple_target = 8160);
ALTER TABLE "job" SET (toast_tuple_target = 8160);
