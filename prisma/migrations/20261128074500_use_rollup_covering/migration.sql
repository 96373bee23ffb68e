-- With the amounts in it the index alone answers what a window used: its rows stand side by side there, and not in the table.
ALTER TABLE "use_rollup" DROP CONSTRAINT "use_rollup_pkey",
    ADD CONSTRAINT "use_rollup_pkey" PRIMARY KEY ("dimension", "grain", "start", "tenant_id", "value")
    INCLUDE ("accelerator_seconds", "petaflop_seconds", "micro_usd");
