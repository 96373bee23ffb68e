import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { messageOf } from '../api/client.ts';
import { csvOf } from './csv.ts';
import type { Column } from './data-table.tsx';

type CsvButtonProps<Row> = {
  name: string;
  columns: Column<Row>[];
  /** Of a list of which only a page is shown, how the whole is read. */
  rows: readonly Row[] | (() => Promise<readonly Row[]>);
};

export function CsvButton<Row>({ name, columns, rows }: CsvButtonProps<Row>) {
  const file = useMutation({
    mutationFn: async () => save(`${name}.csv`, csvOf(columns, typeof rows === 'function' ? await rows() : rows)),
  });
  return (
    <>
      {file.isError && <span role="alert">{messageOf(file.error)}</span>}
      <Button size="compact-sm" variant="subtle" loading={file.isPending} onClick={() => file.mutate()}>
        CSV
      </Button>
    </>
  );
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
