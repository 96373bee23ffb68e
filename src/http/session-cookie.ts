import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * The cookie of a session. Scripts can't read it, and no page of another site can send it along. Over HTTPS its name makes browsers
 * hold it to this very host.
 */
export type SessionCookie = {
  read: (request: FastifyRequest) => string | undefined;
  set: (reply: FastifyReply, token: string, expires: Date) => void;
  clear: (reply: FastifyReply) => void;
};

export function createSessionCookie(publicUrl: string): SessionCookie {
  const secure = publicUrl.startsWith('https:');
  const name = secure ? '__Host-weir-session' : 'weir-session';
  const options = { path: '/', httpOnly: true, sameSite: 'strict', secure } as const;
  return {
    read: ({ cookies }) => cookies[name],
    set: (reply, token, expires) => void reply.setCookie(name, token, { ...options, expires }),
    clear: (reply) => void reply.clearCookie(name, options),
  };
}
