import { createHmac, hkdfSync } from 'node:crypto';
import { WeirError } from '../core/errors.ts';
import { sameText } from '../core/tokens.ts';

/** What a URL permits. All of it is signed; `expires` counts seconds since 1970. */
export type Claims = { purpose: 'upload' | 'download'; key: string; expires: string; [name: string]: string };

export type Signer = {
  sign: (claims: Claims) => string;
  /** @throws WeirError `forbidden` for a signature that is not ours, `expired` for one too old. */
  require: (claims: Claims, signature: string, now: Date) => void;
};

/** Signs the URLs that the API itself serves, with a key of their own derived from the installation's. */
export function createSigner(secretKey: Buffer): Signer {
  const key = Buffer.from(hkdfSync('sha256', secretKey, '', 'weir object URLs', 32));
  const sign = (claims: Claims) => createHmac('sha256', key).update(canonical(claims)).digest('base64url');
  return {
    sign,
    require: (claims, signature, now) => {
      if (!sameText(sign(claims), signature)) {
        throw new WeirError(
          'forbidden',
          'The signature of this URL is not valid. Use the URL exactly as the API gave it, or ask for a new one.',
        );
      }
      if (Number(claims.expires) * 1000 <= now.getTime()) {
        throw new WeirError('expired', 'This URL has expired. Ask the API for a new one.');
      }
    },
  };
}

function canonical(claims: Claims): string {
  return JSON.stringify(Object.entries(claims).sort(([left], [right]) => (left < right ? -1 : 1)));
}
