import { lazy, type ComponentType, type LazyExoticComponent } from 'react';

export type Page = {
  path: string;
  /** In the navigation; pages without one are reached from others. */
  name?: string;
  /** Pressed after g. */
  shortcut?: string;
  isForOperators?: boolean;
  isForTenants?: boolean;
  /** Viewers, who may change nothing, have no use for it. */
  isForMembers?: boolean;
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
    path: '/queue',
    name: 'Queue',
    shortcut: 'q',
    Component: page(() => import('./pages/queue/queue.tsx'), 'Queue'),
  },
  {
    path: '/tenants',
    name: 'Tenants',
    shortcut: 't',
    isForOperators: true,
    Component: page(() => import('./pages/tenants/tenants.tsx'), 'Tenants'),
  },
  {
    path: '/tenants/:tenant',
    Component: page(() => import('./pages/tenant/tenant.tsx'), 'Tenant'),
  },
  {
    path: '/tenant',
    name: 'Tenant',
    shortcut: 't',
    isForTenants: true,
    Component: page(() => import('./pages/tenant/tenant.tsx'), 'Tenant'),
  },
  {
    path: '/jobs',
    name: 'Jobs',
    shortcut: 'j',
    Component: page(() => import('./pages/jobs/jobs.tsx'), 'Jobs'),
  },
  {
    path: '/submit',
    name: 'Submit',
    shortcut: 's',
    isForMembers: true,
    Component: page(() => import('./pages/submit/submit.tsx'), 'Submit'),
  },
  {
    path: '/jobs/:job',
    Component: page(() => import('./pages/job/job.tsx'), 'Job'),
  },
  {
    path: '/quotes',
    name: 'Quotes',
    shortcut: 'e',
    Component: page(() => import('./pages/quotes/quotes.tsx'), 'Quotes'),
  },
  {
    path: '/capacity',
    name: 'Capacity',
    shortcut: 'c',
    isForOperators: true,
    Component: page(() => import('./pages/capacity/capacity.tsx'), 'Capacity'),
  },
  {
    path: '/audit',
    name: 'Audit',
    shortcut: 'a',
    isForOperators: true,
    Component: page(() => import('./pages/audit/audit.tsx'), 'Audit'),
  },
];
