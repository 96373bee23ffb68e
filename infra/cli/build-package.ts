import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';

const root = join(import.meta.dirname, '../..');

/**
 * Writes what `npm pack` packs into a package's directory: the command and all it needs as plain JavaScript, a file for each verb, so
 * that one verb does not load what another needs.
 */
export async function buildPackage(directory: string): Promise<void> {
  const output = join(directory, 'dist/package');
  await rm(output, { recursive: true, force: true });
  const { metafile } = await build({ ...options, outdir: output });
  await copyFile(join(root, 'LICENSE'), join(output, 'LICENSE'));
  await writeFile(join(output, 'THIRD-PARTY-LICENSES'), await licensesOf(metafile));
}

const options = {
  entryPoints: [join(import.meta.dirname, 'weir.ts')],
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  metafile: true,
  absWorkingDir: root,
  // For libraries that are CommonJS still, and require what Node brings.
  banner: {
    js: 'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);',
  },
} as const satisfies BuildOptions & { metafile: true };

/** The licences of the libraries in the bundle, as these ask for. */
async function licensesOf({ inputs }: Metafile): Promise<string> {
  const packages = Object.keys(inputs).flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const texts = [...new Set(packages)].toSorted().map(async (directory) => {
    const { name, version, license } = JSON.parse(await readFile(join(root, directory, 'package.json'), 'utf8'));
    const names = ['LICENSE', 'LICENSE.md', 'license', 'LICENCE', 'LICENSE.txt'];
    const found = await Promise.any(names.map((file) => readFile(join(root, directory, file), 'utf8'))).catch(() => '');
    return `${name} ${version} (${license})\n\n${found.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}
