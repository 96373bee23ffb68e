const storedAs = 'weir.key';

/** Who is signed in, as long as the tab lives. */
export const session = {
  isOpen: (): boolean => sessionStorage.getItem(storedAs) !== null,
  open: (key: string): void => sessionStorage.setItem(storedAs, key),
  close: (): void => sessionStorage.removeItem(storedAs),
  headers: (): Record<string, string> => {
    const key = sessionStorage.getItem(storedAs);
    return key === null ? {} : { authorization: `Bearer ${key}` };
  },
};
