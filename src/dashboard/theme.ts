import { createTheme } from '@mantine/core';

/** Colours and fonts are in theme.css: the page's policy forbids styles that a program writes into the page. */
export const theme = createTheme({
  primaryColor: 'cyan',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Locking the page's scrolling would write a style element.
    Modal: { defaultProps: { lockScroll: false } },
    Drawer: { defaultProps: { lockScroll: false } },
  },
});
