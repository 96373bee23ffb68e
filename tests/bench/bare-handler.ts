import Fastify from 'fastify';
import pg from 'pg';

/** What the service is measured against: a Fastify handler that does one INSERT through `pg`, and nothing else. */
const pool = new pg.Pool({ connectionString: process.argv[2] ?? '', max: 20 });
await pool.query(
  'CREATE TABLE IF NOT EXISTS bare_job (id bigserial PRIMARY KEY, spec jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now())',
);

const app = Fastify();
app.post('/v1/jobs', async (request, reply) => {
  const { rows } = await pool.query('INSERT INTO bare_job (spec) VALUES ($1) RETURNING id, created_at', [request.body]);
  return reply.code(201).send(rows[0]);
});
await app.listen({ host: '127.0.0.1', port: Number(process.argv[3]) });
process.stdout.write('ready\n');
