import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';

export type Post = (url: string, body: string, headers: Record<string, string>) => Promise<{ status: number }>;

const timeoutMs = 15_000;

/**
 * Posts JSON to an address that a tenant named. Only to public addresses, looked at after the name is resolved, so that
 * nobody reaches what the broker reaches; an operator may except some. Redirects are not followed, and of the answer only
 * the status is read.
 */
export function createPost(allowedAddresses: string[]): Post {
  const options = { allowIPAddressList: allowedAddresses };
  const plain = new RequestFilteringHttpAgent(options);
  const secure = new RequestFilteringHttpsAgent(options);
  return (url, body, headers) =>
    new Promise((resolve, reject) => {
      const isSecure = url.startsWith('https:');
      const request = (isSecure ? requestHttps : requestHttp)(url, {
        method: 'POST',
        agent: isSecure ? secure : plain,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'weir-webhooks',
        },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        response.destroy();
        resolve({ status: response.statusCode ?? 0 });
      });
      request.end(body);
    });
}
