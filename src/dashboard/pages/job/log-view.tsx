import { Anchor, Checkbox, Group, Text, TextInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import type { LogLine } from '../../../../infra/cli/generated/api.ts';
import { count, exact, plural } from '../../parts/format.ts';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';
import { hintOf, type Log } from './log-lines.ts';
import styles from './log-view.module.css';

/** The log as it comes, of which only what is in sight is drawn; searched as one types. */
export function LogView({ jobId, log }: { jobId: string; log: Log }) {
  const [wanted, setWanted] = useState('');
  const [isErrorsOnly, setErrorsOnly] = useState(false);
  const text = useDeferredValue(wanted.toLowerCase());
  const shown = useMemo(
    () =>
      log.lines.filter(
        (line) =>
          (!isErrorsOnly || line.stream !== 'stdout') && (text === '' || line.text.toLowerCase().includes(text)),
      ),
    [log.lines, text, isErrorsOnly],
  );
  return (
    <Section
      title="Log"
      hint={hintOf(log)}
      actions={
        <>
          <Checkbox
            size="xs"
            label="Only stderr and weir"
            checked={isErrorsOnly}
            onChange={(event) => setErrorsOnly(event.currentTarget.checked)}
          />
          <TextInput
            size="xs"
            type="search"
            aria-label="Search the log"
            placeholder="Search  /"
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
        </>
      }
    >
      {log.lines.length === 0 ? (
        <Empty title={log.isComplete ? 'The job printed nothing' : 'Nothing yet'} />
      ) : (
        <Lines lines={shown} text={text} isFollowing={text === '' && !isErrorsOnly} />
      )}
      <Group justify="space-between" mt="xs">
        <Text size="sm" c="dimmed" role="status">
          {text === '' && !isErrorsOnly
            ? `${count(shown.length)} ${plural(shown.length, 'line')}`
            : `${count(shown.length)} of ${count(log.lines.length)} lines`}
        </Text>
        <Anchor size="sm" href={`/v1/jobs/${jobId}/logs?format=text`} target="_blank">
          The whole log as text
        </Anchor>
      </Group>
    </Section>
  );
}

const lineHeight = 20;

/** Stays at its end unless the reader has scrolled away from it. */
function Lines({ lines, text, isFollowing }: { lines: LogLine[]; text: string; isFollowing: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const lastTop = useRef(0);
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => lineHeight,
    getItemKey: (at) => lines[at]?.seq ?? at,
    overscan: 20,
  });
  useEffect(() => {
    if (isFollowing && isAtEnd.current && lines.length > 0)
      virtualizer.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [isFollowing, lines.length, virtualizer]);

  return (
    <div
      ref={box}
      className={styles.box}
      role="log"
      aria-label="Log"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls is reached by the keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        // Lines may have come since the program scrolled to its end: only a reader scrolls up.
        if (scrollHeight - scrollTop - clientHeight < 40) isAtEnd.current = true;
        else if (scrollTop < lastTop.current) isAtEnd.current = false;
        lastTop.current = scrollTop;
      }}
    >
      <div className={styles.whole} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index];
          return line === undefined ? null : (
            <div
              key={key}
              ref={virtualizer.measureElement}
              data-index={index}
              data-stream={line.stream}
              className={styles.line}
              style={{ transform: `translateY(${start}px)` }}
              title={exact(line.at)}
            >
              {line.stream !== 'stdout' && <span className={styles.stream}>{line.stream} </span>}
              <Marked line={line.text} text={text} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** What was searched for stands out. */
function Marked({ line, text }: { line: string; text: string }) {
  const at = text === '' ? -1 : line.toLowerCase().indexOf(text);
  if (at === -1) return line;
  return (
    <>
      {line.slice(0, at)}
      <mark>{line.slice(at, at + text.length)}</mark>
      {line.slice(at + text.length)}
    </>
  );
}
