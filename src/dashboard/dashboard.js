import { get, key, Refusal } from './api.js';
import { openJobPage } from './job-page.js';
import { openOverview } from './overview.js';

const pollEveryMs = 2000;

/** @param {string} id */
function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element;
}

const main = byId('main');
const status = byId('status');

/** The page that is open: reading ends with it, or while nobody looks. */
let page = new AbortController();

/** Shows what the address names, and keeps it fresh while somebody looks. */
function open() {
  page.abort();
  page = new AbortController();
  const isSignedIn = key.get() !== null;
  for (const id of ['sign-out', 'overview-link']) byId(id).hidden = !isSignedIn;
  status.textContent = '';
  if (!isSignedIn) return showSignIn('');
  const jobId = /^#\/jobs\/([\w-]+)$/.exec(location.hash)?.[1];
  byId('overview-link').toggleAttribute('aria-current', jobId === undefined);
  keepFresh(
    jobId === undefined ? (signal) => openOverview(main, signal) : (signal) => openJobPage(main, signal, jobId),
  );
}

/** @param {(signal: AbortSignal) => () => Promise<void>} start */
function keepFresh(start) {
  const { signal } = page;
  const refresh = start(signal);
  const poll = async () => {
    if (signal.aborted) return;
    if (!document.hidden) {
      try {
        await refresh();
        say('Live', 'live');
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refusal && error.status === 401) return signOut(error.message);
        say(
          error instanceof Refusal ? error.message : 'weir does not answer. Trying again; what is shown may be old.',
          'away',
        );
      }
    }
    setTimeout(() => void poll(), pollEveryMs);
  };
  void poll();
}

/** @param {string} text @param {string} kind */
function say(text, kind) {
  if (status.textContent !== text) status.textContent = text;
  status.className = kind;
}

/** @param {string} why */
function signOut(why) {
  key.forget();
  open();
  byId('sign-in-error').textContent = why;
}

/** @param {string} why */
function showSignIn(why) {
  const template = /** @type {HTMLTemplateElement} */ (byId('sign-in'));
  main.replaceChildren(template.content.cloneNode(true));
  byId('sign-in-error').textContent = why;
  const input = /** @type {HTMLInputElement} */ (byId('key'));
  input.focus();
  main.querySelector('form')?.addEventListener('submit', (event) => {
    event.preventDefault();
    void signIn(input.value.trim());
  });
}

/** The key is tried before it is kept. @param {string} value */
async function signIn(value) {
  key.set(value);
  try {
    await get('/v1/jobs?limit=1');
    open();
    main.focus();
  } catch (error) {
    key.forget();
    byId('sign-in-error').textContent =
      error instanceof Refusal ? error.message : 'weir does not answer. Try again in a moment.';
  }
}

byId('sign-out').addEventListener('click', () => signOut(''));
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener('hashchange', () => {
  open();
  main.focus();
  scrollTo(0, 0);
});
open();
