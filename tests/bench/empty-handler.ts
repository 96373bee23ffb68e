import Fastify from 'fastify';

/** What a route is measured against where it computes: Fastify parsing the same body and answering with nothing. */
const app = Fastify();
app.post('/v1/quotes', (_request, reply) => reply.code(201).send({}));
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
process.stdout.write('ready\n');
