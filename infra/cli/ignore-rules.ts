/**
 * The rules of a .gitignore in a directory as rules of the top of the tree, so that one matcher has the last word of all: `*.log` in
 * `train` is `/train/**\/*.log`. `base` is the directory by its path from the top, `''` the top itself.
 */
export function rulesFrom(text: string, base: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/(?<!\\) +$/, ''))
    .filter((rule) => rule !== '')
    .flatMap((rule) => (base === '' ? [rule] : fromTop(rule, base)));
}

function fromTop(rule: string, base: string): string[] {
  const [, negation = '', pattern = ''] = /^(!?)(?:\\(?=[!#]))?(.*)$/.exec(rule) ?? [];
  if (pattern === '' || pattern === '/') return [];
  const place = base.replaceAll(/[\\*?[\]]/g, '\\$&');
  // A slash anywhere but at its end ties a pattern to its own directory.
  const isTied = pattern.slice(0, -1).includes('/');
  return [`${negation}/${place}/${isTied ? pattern.replace(/^\//, '') : `**/${pattern}`}`];
}
