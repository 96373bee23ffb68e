-- Which model a residual was taken against, so that it is taken anew when the model has changed.
ALTER TABLE "quote_residual" ADD COLUMN "model" TEXT;
