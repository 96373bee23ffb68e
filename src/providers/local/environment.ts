/** The variables of the service; undefined ones are not set. */
export type HostEnvironment = Record<string, string | undefined>;

const passed =
  /^(LANG|LC_ALL|TZ|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|PIP_[A-Z0-9_]+|(HTTPS?|NO|ALL|FTP)_PROXY)$/i;
const ofTheBroker = /^(WEIR_|GOOGLE_|DATABASE_URL$|REDIS_URL$)/;
const holdsCredentials = /:\/\/[^/\s]*@/;

/**
 * What jobs see of the service's environment: language, time zone, certificates, package index and proxy, and what the operator
 * names. Nothing of the broker's own even then, and no address with a password in it unless named.
 */
export function jobEnvironment(host: HostEnvironment, passEnv: string[]): Record<string, string> {
  const isPassed = (name: string, value: string) =>
    !ofTheBroker.test(name) && (passEnv.includes(name) || (passed.test(name) && !holdsCredentials.test(value)));
  return Object.fromEntries(
    Object.entries(host).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && isPassed(entry[0], entry[1]),
    ),
  );
}

/** What the runner itself is started with: nothing that its job must not see, since some isolation lets a job look. */
export function runnerEnvironment(
  host: HostEnvironment,
  shared: Record<string, string>,
  compileCacheDir: string,
): Record<string, string> {
  return {
    ...shared,
    PATH: host['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    // Spares the runner stripping types and compiling anew: two thirds of its start.
    NODE_COMPILE_CACHE: compileCacheDir,
  };
}
