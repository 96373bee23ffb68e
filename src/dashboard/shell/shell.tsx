import { Suspense, useEffect, useRef, useState } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import type { Me } from '../../../infra/cli/generated/api.ts';
import { useChanges } from '../api/changes.ts';
import { pages } from '../pages.ts';
import { Empty, Loading } from '../parts/states.tsx';
import { PageTitle } from '../parts/section.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { Navigation, type Leaving } from './navigation.tsx';
import { ShortcutHelp, useShortcuts } from './shortcuts.tsx';
import styles from './shell.module.css';

/** Navigation beside the page that the address names; on a phone above it. */
export function Shell({ me, leaving }: { me: Me; leaving: Leaving }) {
  useChanges();
  const [path] = useLocation();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const isOperator = me.role === 'operator';
  const shown = pages.filter(
    ({ isForOperators, isForTenants, isForMembers }) =>
      (isOperator ? isForTenants !== true : isForOperators !== true) &&
      !(me.role === 'viewer' && isForMembers === true),
  );
  const shortcuts = useShortcuts(shown);

  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    setMenuOpen(false);
    window.scrollTo(0, 0);
    main.current?.focus();
  }, [path]);

  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      <Navigation
        pages={shown}
        path={path}
        isMenuOpen={isMenuOpen}
        onMenu={() => setMenuOpen(!isMenuOpen)}
        onShortcuts={shortcuts.open}
        me={me}
        leaving={leaving}
      />
      <main id="main" className={styles.main} tabIndex={-1} ref={main}>
        <ErrorBoundary key={path}>
          <Suspense fallback={<Loading lines={8} />}>
            <Switch>
              {shown.map(({ path: pattern, Component }) => (
                <Route key={pattern} path={pattern}>
                  <Component />
                </Route>
              ))}
              <Route>
                <PageTitle title="There is no such page" />
                <Empty title={path}>
                  <Link href="/">To the overview</Link>
                </Empty>
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </main>
      <ShortcutHelp pages={shown} shortcuts={shortcuts} />
    </div>
  );
}
