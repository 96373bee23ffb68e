import { Button, Group, Text } from '@mantine/core';

/** The cursors that led here, one for each page before this one. */
export type Trail = string[];

type PagerProps = {
  trail: Trail;
  nextCursor: string | null;
  /** How many there are on each page, and on this one. */
  perPage: number;
  shown: number;
  onTurn: (trail: Trail) => void;
};

/** Turns the pages of a list that the service gives piece by piece. */
export function Pager({ trail, nextCursor, perPage, shown, onTurn }: PagerProps) {
  if (trail.length === 0 && nextCursor === null) return null;
  const before = trail.length * perPage;
  return (
    <Group mt="sm" justify="flex-end">
      <Text size="sm" c="dimmed">
        {shown === 0 ? 'nothing here any more' : `${before + 1} to ${before + shown}`}
      </Text>
      <Button size="xs" variant="default" disabled={trail.length === 0} onClick={() => onTurn(trail.slice(0, -1))}>
        Back
      </Button>
      <Button
        size="xs"
        variant="default"
        disabled={nextCursor === null}
        onClick={() => nextCursor !== null && onTurn([...trail, nextCursor])}
      >
        Further
      </Button>
    </Group>
  );
}
