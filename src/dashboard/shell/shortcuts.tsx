import { Kbd, Modal, Switch, Text } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import type { Page } from '../pages.ts';
import styles from './shortcuts.module.css';

/** How long after g the second key may come. */
const sequenceMs = 1200;

export type Shortcuts = {
  isOpen: boolean;
  open: () => void;
  close: () => void;
  isOn: boolean;
  setOn: (isOn: boolean) => void;
};

/** g and a letter opens a page, / goes to the page's search, ? shows the keys. They can be switched off (WCAG 2.1.4). */
export function useShortcuts(pages: Page[]): Shortcuts {
  const [, navigate] = useLocation();
  const [isOpen, setOpen] = useState(false);
  const [isOn, setOn] = useLocalStorage({ key: 'weir.shortcuts', defaultValue: true, getInitialValueInEffect: false });

  useEffect(() => {
    if (!isOn) return undefined;
    let pressedGAtMs = -Infinity;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const page = pages.find(({ shortcut }) => shortcut === event.key);
      if (page !== undefined && event.timeStamp - pressedGAtMs < sequenceMs) navigate(page.path);
      else if (event.key === '?') setOpen(true);
      else if (event.key === '/' && focusSearch()) event.preventDefault();
      pressedGAtMs = event.key === 'g' ? event.timeStamp : -Infinity;
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [isOn, pages, navigate]);

  return { isOpen, open: () => setOpen(true), close: () => setOpen(false), isOn, setOn };
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName))
  );
}

function focusSearch(): boolean {
  const search = document.querySelector<HTMLInputElement>('main input[type="search"]');
  search?.focus();
  return search !== null;
}

export function ShortcutHelp({ pages, shortcuts }: { pages: Page[]; shortcuts: Shortcuts }) {
  return (
    <Modal
      opened={shortcuts.isOpen}
      onClose={shortcuts.close}
      title="Keyboard shortcuts"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <dl className={styles.keys}>
        {pages.map(({ name, shortcut }) =>
          name === undefined || shortcut === undefined ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Kbd>g</Kbd> <Kbd>{shortcut}</Kbd>
              </dd>
            </div>
          ),
        )}
        <div>
          <dt>Search on this page</dt>
          <dd>
            <Kbd>/</Kbd>
          </dd>
        </div>
        <div>
          <dt>This list</dt>
          <dd>
            <Kbd>?</Kbd>
          </dd>
        </div>
      </dl>
      <Switch
        mt="md"
        label="Use these shortcuts"
        checked={shortcuts.isOn}
        onChange={(event) => shortcuts.setOn(event.currentTarget.checked)}
      />
      <Text size="xs" c="dimmed" mt={4}>
        Switch them off if you speak to your computer.
      </Text>
    </Modal>
  );
}
