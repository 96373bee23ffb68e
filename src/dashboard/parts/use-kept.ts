import { useEffect, useState } from 'react';

/** State that the tab keeps, over other pages and a session that ends, until its owner signs out. */
export function useKept<T>(name: string, initial: T): [T, (next: T) => void] {
  const storedAs = `weir.${name}`;
  const [value, setValue] = useState<T>(() => {
    const text = sessionStorage.getItem(storedAs);
    return text === null ? initial : (JSON.parse(text) as T);
  });
  useEffect(() => {
    if (value === initial) sessionStorage.removeItem(storedAs);
    else sessionStorage.setItem(storedAs, JSON.stringify(value));
  }, [storedAs, value, initial]);
  return [value, setValue];
}
