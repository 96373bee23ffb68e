import { execFileSync } from 'node:child_process';

/**
 * `npm run imports`: every import against the rules of .dependency-cruiser.mjs. A cruiser that can't read the sources
 * finds no fault and says so proudly; so this also asks how much it saw.
 */
type Report = {
  summary: {
    totalCruised: number;
    violations: { from: string; to: string; rule: { name: string } }[];
    ruleSetUsed: { forbidden: { name: string; comment: string }[] };
  };
};

const fewestModules = 60;

function cruise(): Report['summary'] {
  const flags = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json'];
  const output = execFileSync('depcruise', [...flags, 'src', 'prisma', 'infra', 'tests'], {
    maxBuffer: 256 * 1024 * 1024,
  });
  return (JSON.parse(output.toString()) as Report).summary;
}

const { totalCruised, violations, ruleSetUsed } = cruise();
const reasons = new Map(ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment]));
for (const { from, to, rule } of violations) {
  process.stdout.write(`${from} → ${to}\n  ${rule.name}: ${reasons.get(rule.name)}\n`);
}
process.stdout.write(`${totalCruised} modules, ${violations.length} bad imports\n`);
process.exitCode = violations.length > 0 || totalCruised < fewestModules ? 1 : 0;
