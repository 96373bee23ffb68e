import type { Command } from 'commander';
import { tenantFlag, type Add } from './verb.ts';

export function addFileVerbs(program: Command, add: Add): void {
  program.commandsGroup('Files');
  add(program, 'upload <file>', async () => (await import('./commands/upload.ts')).upload)
    .description('send a file for specs to name; prints its weir:// address')
    .addOption(tenantFlag());
  const artifacts = program.command('artifacts').helpCommand(false).description('what jobs produced');
  add(artifacts, 'ls <job>', async () => (await import('./commands/artifacts.ts')).listArtifacts).description(
    'list a job’s artifacts',
  );
  add(artifacts, 'get <job> [path...]', async () => (await import('./commands/artifacts.ts')).getArtifacts)
    .description('fetch files or folders, or all; checked by their checksums')
    .option('-o, --output <dir>', 'where to', '.');
  add(artifacts, 'open <job> <path>', async () => (await import('./commands/artifacts.ts')).openArtifact).description(
    'fetch a file and show it',
  );
}
