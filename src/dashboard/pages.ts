import { lazy, type ComponentType, type LazyExoticComponent } from 'react';

export type Page = {
  path: string;
  /** In the navigation; pages without one are reached from others. */
  name?: string;
  /** Pressed after g. */
  shortcut?: string;
  isForOperators?: boolean;
  Component: LazyExoticComponent<ComponentType>;
};

/** A page's program is fetched when it is opened. */
function page<Name extends string>(load: () => Promise<Record<Name, ComponentType>>, name: Name) {
  return lazy(async () => ({ default: (await load())[name] }));
}

/** Every page there is, in the order of the navigation. The API serves the application at each first part of a path. */
export const pages: Page[] = [
  {
    path: '/',
    name: 'Overview',
    shortcut: 'o',
    Component: page(() => import('./pages/overview/overview.tsx'), 'Overview'),
  },
  {
    path: '/jobs/:job',
    Component: page(() => import('./pages/job/job.tsx'), 'Job'),
  },
];
