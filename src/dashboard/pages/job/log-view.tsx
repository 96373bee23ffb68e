import { Anchor, Checkbox, Group, Text, TextInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import type { Job, LogLine } from '../../../../infra/cli/generated/api.ts';
import { count, exact, plural } from '../../parts/format.ts';
import { hasNodes } from '../../parts/job-facts.tsx';
import { Section } from '../../parts/section.tsx';
import { Empty } from '../../parts/states.tsx';
import { hintOf, type Log } from './log-lines.ts';
import styles from './log-view.module.css';

/** The log as it comes, of which only what is in sight is drawn; searched as one types. */
export function LogView({ job, log }: { job: Job; log: Log }) {
  const [wanted, setWanted] = useState('');
  const [isErrorsOnly, setErrorsOnly] = useState(false);
  const text = useDeferredValue(wanted.toLowerCase());
  const isSearched = text !== '' || isErrorsOnly;
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
        <Lines lines={shown} text={text} isFollowing={!isSearched} hasNodes={hasNodes(job)} />
      )}
      <Group justify="space-between" mt="xs">
        {/* What comes by itself the log announces. */}
        <Text size="sm" c="dimmed" role={isSearched ? 'status' : undefined}>
          {isSearched
            ? `${count(shown.length)} of ${count(log.lines.length)} lines`
            : `${count(shown.length)} ${plural(shown.length, 'line')}`}
        </Text>
        <Anchor size="sm" href={`/v1/jobs/${job.id}/logs?format=text`} target="_blank">
          The whole log as text
        </Anchor>
      </Group>
    </Section>
  );
}

const lineHeight = 20;

type LinesProps = { lines: LogLine[]; text: string; isFollowing: boolean; hasNodes: boolean };

/** Stays at its end unless the reader has scrolled away from it. */
function Lines({ lines, text, isFollowing, hasNodes: areNodesNamed }: LinesProps) {
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
  // Of a long log old lines go as new ones come: how many there are then stays the same.
  const lastSeq = lines.at(-1)?.seq;
  useEffect(() => {
    if (isFollowing && isAtEnd.current && lastSeq !== undefined)
      virtualizer.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [isFollowing, lastSeq, lines.length, virtualizer]);

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
              {isOfNewAttempt(lines, index) && <div className={styles.attempt}>{`Attempt ${line.attempt}`}</div>}
              {areNodesNamed && <span className={styles.node}>{`node ${line.node} `}</span>}
              {line.stream !== 'stdout' && <span className={styles.stream}>{line.stream} </span>}
              <Marked line={line.text} text={text} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function isOfNewAttempt(lines: readonly LogLine[], at: number): boolean {
  const [former, line] = [lines[at - 1], lines[at]];
  return former !== undefined && line !== undefined && former.attempt !== line.attempt;
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
