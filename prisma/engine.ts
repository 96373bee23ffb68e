import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';

/**
 * Prisma's own schema engine, as WebAssembly. The Prisma CLI would download a native one at first use,
 * which a closed network can't; this one comes with the packages and writes the same `_prisma_migrations`.
 */
export const schemaPath = join(import.meta.dirname, 'schema.prisma');
export const migrationsDir = join(import.meta.dirname, 'migrations');

const noFilters = { externalTables: [], externalEnums: [] };

type SchemaEngine = {
  diff(input: unknown): Promise<{ exitCode: number; stdout?: string | null }>;
  applyMigrations(input: unknown): Promise<{ appliedMigrationNames: string[] }>;
};

/** An engine joined to the database at `connectionString`. One a process: the glue holds a single instance of the module. */
export async function openEngine(connectionString: string): Promise<SchemaEngine> {
  const packageEntry = pathToFileURL(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const wasmPath = fileURLToPath(new URL('schema_engine_bg.wasm', packageEntry));
  const glue = await import(new URL('schema_engine_bg.js', packageEntry).href);
  const module = new WebAssembly.Module(await readFile(wasmPath));
  const { exports } = new WebAssembly.Instance(module, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(exports);
  (exports['__wbindgen_start'] as () => void)();
  const adapter = bindMigrationAwareSqlAdapterFactory(wholeScripts(connectionString));
  return glue.SchemaEngine.new({ datamodels: [await schemaFile()] }, () => undefined, adapter);
}

/**
 * Prisma's adapter cuts a script at each semicolon, also inside the body of a function. PostgreSQL itself takes a script
 * whole, in one implicit transaction.
 */
function wholeScripts(connectionString: string): PrismaPg {
  const factory = new PrismaPg({ connectionString });
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    adapter.executeScript = async (script) => {
      const client = new pg.Client({ connectionString });
      await client.connect();
      try {
        await client.query(script);
      } finally {
        await client.end();
      }
    };
    return adapter;
  };
  return factory;
}

/** Applies what is missing, in order. Answers the names applied. */
export async function applyMigrations(connectionString: string): Promise<string[]> {
  const engine = await openEngine(connectionString);
  const { appliedMigrationNames } = await engine.applyMigrations({
    migrationsList: await readMigrations(),
    filters: noFilters,
  });
  return appliedMigrationNames;
}

/** The SQL that makes all of schema.prisma in an empty database: what the migrations together must amount to. */
export async function schemaScript(connectionString: string): Promise<string> {
  const [path, content] = await schemaFile();
  const engine = await openEngine(connectionString);
  const script = await engine.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files: [{ path, content }] },
    script: true,
    exitCode: null,
    shadowDatabaseUrl: null,
    filters: noFilters,
  });
  return script.stdout ?? '';
}

/** Names of the migrations in the repository, oldest first. */
export async function migrationNames(): Promise<string[]> {
  const entries = await readdir(migrationsDir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

async function schemaFile(): Promise<[string, string]> {
  return ['schema.prisma', await readFile(schemaPath, 'utf8')];
}

async function readMigrations() {
  const names = await migrationNames();
  return {
    baseDir: migrationsDir,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok', value: await readFile(join(migrationsDir, name, 'migration.sql'), 'utf8') },
        },
      })),
    ),
  };
}
