import { Anchor, Button, SegmentedControl, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import { Link } from 'wouter';
import { messageOf } from '../api/client.ts';
import { useConnection, type Connection } from '../api/connection.ts';
import type { Me } from '../../../infra/cli/generated/api.ts';
import type { Page } from '../pages.ts';
import styles from './shell.module.css';

type NavigationProps = {
  pages: Page[];
  path: string;
  isMenuOpen: boolean;
  onMenu: () => void;
  onShortcuts: () => void;
  me: Me;
  leaving: Leaving;
};

/** The way out of the session. */
export type Leaving = { mutate: () => void; isPending: boolean; error: Error | null };

export function Navigation({ pages, path, isMenuOpen, onMenu, onShortcuts, me, leaving }: NavigationProps) {
  return (
    <header className={styles.navigation}>
      <div className={styles.bar}>
        <Link href="/" className={styles.brand}>
          <img src="/dashboard/weir.svg" alt="" width={28} height={28} />
          weir
        </Link>
        <Button
          className={styles.burger}
          variant="default"
          size="compact-md"
          aria-expanded={isMenuOpen}
          aria-controls="menu"
          onClick={onMenu}
        >
          Menu
        </Button>
      </div>
      <div className={styles.menu} id="menu" data-open={isMenuOpen || undefined}>
        <nav aria-label="Pages">
          <ul className={styles.links}>
            {pages.map(({ path: to, name }) =>
              name === undefined ? null : (
                <li key={to}>
                  <Link href={to} aria-current={isUnder(path, to) ? 'page' : undefined}>
                    {name}
                  </Link>
                </li>
              ),
            )}
          </ul>
        </nav>
        <div className={styles.foot}>
          <p className={styles.me}>
            {me.person ?? me.tenant?.name ?? 'Operator'}
            <span>{me.person === null && me.tenant === null ? 'sees the whole pool' : me.role}</span>
          </p>
          <ConnectionStatus />
          <ThemeChoice />
          <Anchor href="/docs" size="sm" px={8}>
            API reference
          </Anchor>
          <Button variant="subtle" size="compact-sm" onClick={onShortcuts}>
            Keyboard shortcuts
          </Button>
          <Button variant="subtle" size="compact-sm" loading={leaving.isPending} onClick={() => leaving.mutate()}>
            Sign out
          </Button>
          {leaving.error !== null && (
            <p className={styles.status} role="alert" data-away>
              You are still signed in. {messageOf(leaving.error)}
            </p>
          )}
        </div>
      </div>
    </header>
  );
}

function isUnder(path: string, to: string): boolean {
  return to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`);
}

const connections: Record<Connection, string> = {
  live: 'Live',
  late: 'Changes are not told. They are looked for every few seconds.',
  away: 'weir does not answer. What is shown may be old.',
};

function ConnectionStatus() {
  const connection = useConnection();
  return (
    <p className={styles.status} role="status" data-away={connection !== 'live' || undefined}>
      {connections[connection]}
    </p>
  );
}

const themes: { value: MantineColorScheme; label: string }[] = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'auto', label: 'Auto' },
];

function ThemeChoice() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      size="xs"
      aria-label="Theme"
      data={themes}
      value={colorScheme}
      onChange={(value) => setColorScheme(value as MantineColorScheme)}
    />
  );
}
