import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** `node infra/quickstart/picture.ts`: runs the quickstart on a new data directory and draws what it printed. */
const quickstart = join(import.meta.dirname, 'quickstart.ts');
const picture = join(import.meta.dirname, '../../docs/images/quickstart.svg');
const command = 'npm run quickstart -- --once';
const shownDataDir = '.weir';

const charWidth = 8;
const lineHeight = 19;
const margin = 20;
const barHeight = 36;

async function runQuickstart(): Promise<string[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-picture-'));
  const env = { ...process.env, WEIR_DATA_DIR: dataDir, FORCE_COLOR: '1' };
  const child = spawn(process.execPath, [quickstart, '--once'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  await rm(dataDir, { recursive: true, force: true });
  if (code !== 0) throw new Error(`The quickstart ended with ${String(code)}:\n${output}`);
  // Where the directory lies is this machine's business.
  return output.replaceAll(dataDir, shownDataDir).trim().split('\n');
}

type Run = { text: string; style: string };

/** The quickstart knows two styles, bold and dim; each is begun and ended within its line. */
function runsOf(line: string): Run[] {
  const escape = String.fromCharCode(27);
  let style = 'plain';
  return line.split(`${escape}[`).flatMap((part, at) => {
    const [, code, text] = at === 0 ? ['', '', part] : (/^(\d+)m([\s\S]*)$/.exec(part) ?? ['', '', '']);
    style = { '1': 'bold', '2': 'dim', '22': 'plain' }[code ?? ''] ?? style;
    return text === undefined || text === '' ? [] : [{ text, style }];
  });
}

const escapeXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Each run is set at its own column, so that columns stay true whichever font the reader has. */
function drawLine(line: string, at: number): string {
  const y = barHeight + margin + at * lineHeight;
  let column = 0;
  return runsOf(line)
    .map(({ text, style }) => {
      const x = margin + column * charWidth;
      column += text.length;
      const length = text.trim() === '' ? '' : ` textLength="${text.length * charWidth}"`;
      return `<text x="${x}" y="${y}" class="${style}"${length}>${escapeXml(text)}</text>`;
    })
    .join('');
}

function draw(lines: string[]): string {
  const columns = Math.max(...lines.map((line) => stripVTControlCharacters(line).length));
  const [width, height] = [2 * margin + columns * charWidth, barHeight + 2 * margin + (lines.length - 1) * lineHeight];
  const lights = ['#ff5f57', '#febc2e', '#28c840'].map(
    (color, at) => `<circle cx="${20 + at * 20}" cy="18" r="6" fill="${color}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" xml:space="preserve" role="img" aria-label="A terminal with a run of ${command}">
<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#dbe6ea;white-space:pre}.bold{font-weight:700;fill:#7fd6e8}.dim{fill:#8ba0a9}</style>
<rect width="${width}" height="${height}" rx="10" fill="#10181c"/>
${lights.join('')}
${lines.map(drawLine).join('\n')}
</svg>
`;
}

/** The job's own lines are many and alike: the first and last few of them show what there is. */
function shorten(lines: string[], most = 60): string[] {
  return lines.length <= most ? lines : [...lines.slice(0, most / 2), '  …', ...lines.slice(-most / 2)];
}

const lines = shorten(await runQuickstart());
await writeFile(picture, draw([`$ ${command}`, '', ...lines]));
process.stdout.write(`${picture}: ${lines.length} lines\n`);
