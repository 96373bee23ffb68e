import { isIPv6 } from 'node:net';

export function readHost(text: string | undefined, faults: string[]): string {
  if (text === undefined || text === '') return '127.0.0.1';
  if (!URL.canParse(`http://${reachable(text)}`))
    faults.push(`WEIR_HOST is "${text}"; it must be an address or a name, such as 127.0.0.1 or ::1.`);
  return text;
}

/** As a part of a URL by which this machine reaches it: whoever listens everywhere listens on the loopback too. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

export function readPort(text: string | undefined, faults: string[]): number {
  if (text === undefined || text === '') return 8080;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    faults.push(`WEIR_PORT is "${text}"; it must be a port, such as 8080.`);
  return port;
}

type UrlVariable = { name: string; text: string | undefined; scheme: RegExp; example: string };

export function readUrl({ name, text, scheme, example }: UrlVariable, faults: string[]): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!scheme.test(text) || !URL.canParse(text)) faults.push(`${name} is not such a URL; example: ${example}`);
  return text;
}

export function readSecretKey(text: string | undefined, faults: string[]): Buffer | undefined {
  if (text === undefined || text === '') return undefined;
  const key = Buffer.from(text, 'base64');
  if (key.length !== 32)
    faults.push(
      `WEIR_SECRET_KEY has ${key.length} bytes; it must be 32 in base64, as \`openssl rand -base64 32\` prints them.`,
    );
  return key;
}

export function readOperatorKey(text: string | undefined, faults: string[]): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^[\x21-\x7e]{16,}$/.test(text))
    faults.push(
      'WEIR_OPERATOR_KEY must be 16 visible ASCII characters or more, without spaces; example: the output of `openssl rand -hex 32`.',
    );
  return text;
}
