import { useEffect } from 'react';

/** What the tab and a reader of screens call the page. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · weir`;
  }, [title]);
}
