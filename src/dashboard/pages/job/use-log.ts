import { useEffect, useState } from 'react';
import type { LogLine } from '../../../../infra/cli/generated/api.ts';
import { whileVisible } from '../../api/changes.ts';
import { messageOf } from '../../api/client.ts';
import { follow } from '../../api/follow.ts';
import { mostLines, noLog, withLines, type Log } from './log-lines.ts';

/** A job's log as it comes, while somebody looks; it goes on where it was. */
export function useLog(jobId: string): Log {
  const [log, setLog] = useState(noLog);
  useEffect(() => {
    let last = '';
    let isComplete = false;
    const append = (items: LogLine[]) => {
      last = String(items.at(-1)?.seq ?? last);
      setLog((log) => withLines(log, items));
    };
    const onBreak = () => setLog((log) => ({ ...log, fault: 'Cut off from weir: it is asked again every second.' }));
    const stop = whileVisible(() => {
      const controller = new AbortController();
      const { signal } = controller;
      if (!isComplete)
        follow<LogLine>(`/v1/jobs/${jobId}/logs?tail=${mostLines}`, {
          after: last,
          signal,
          onItems: append,
          onBreak,
        }).then(
          () => {
            if (signal.aborted) return;
            isComplete = true;
            setLog((log) => ({ ...log, isComplete, fault: undefined }));
          },
          (error: unknown) => setLog((log) => ({ ...log, fault: messageOf(error) })),
        );
      return () => controller.abort();
    });
    return () => {
      stop();
      setLog(noLog);
    };
  }, [jobId]);
  return log;
}
