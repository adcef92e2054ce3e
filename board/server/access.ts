import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { boardReviewerSchema } from '../../domain/board/batch.js';
import { sessionIdSchema } from '../../domain/board/leases.js';
import { enteredPage } from '../pages/entered.js';

const ACCESS = 'partloop_access';
const SESSION = 'partloop_session';
const NAME = 'partloop_name';
const YEAR_S = 365 * 24 * 3_600;
/** Reports link to pages of the board; whatever changes something must come from the board itself. */
const LINKED = { httpOnly: true, sameSite: 'Lax', path: '/' } as const;

/** Who sits at the screen. */
export interface Reviewer {
  session: string;
  /** null until they said it. */
  name: string | null;
}

/**
 * Who may use a board. On this machine's own addresses everybody may, as every process of the machine could read the
 * store's keys anyway. On others a link with a key lets in once, and sets a cookie.
 */
export class Access {
  readonly #secret = randomBytes(32);
  readonly #keys = new Set<string>();
  #hosts: ReadonlySet<string> = new Set();

  constructor(readonly isOpen: boolean) {}

  /**
   * Answer only under these names with their port, or under any if there are none. A page elsewhere may have a name
   * that resolves to this address (DNS rebinding).
   */
  answerTo(hosts: Iterable<string>): void {
    this.#hosts = new Set(hosts);
  }

  /** A new key for one entrance. */
  invite(): string {
    const key = randomBytes(24).toString('base64url');
    this.#keys.add(key);
    return key;
  }

  readonly guard: MiddlewareHandler = async (context, next) => {
    if (this.#hosts.size > 0 && !this.#hosts.has(context.req.header('host') ?? ''))
      return context.text('This board is not known under that address.', 421);
    if (!this.#isFromHere(context)) return context.text('This request comes from another page.', 403);
    const { path } = context.req;
    if (!this.isOpen && path !== '/enter' && !this.#hasEntered(context))
      return context.text('Open the link that `partloop board` printed, or ask for an invitation.', 401);
    return next();
  };

  /** GET /enter?key=…: uses the key up. */
  readonly enter: MiddlewareHandler = async (context) => {
    const key = context.req.query('key') ?? '';
    if (!this.#keys.delete(key)) return context.text('This link was used already, or never was one.', 401);
    setCookie(context, ACCESS, this.#seal(), { ...LINKED, maxAge: YEAR_S });
    // A redirect from another page may not carry a new cookie: the page itself goes on.
    return context.html(enteredPage(localPath(context.req.query('next') ?? '/')));
  };

  /** Browsers say where a request that changes something comes from; those that do not are no browsers. */
  #isFromHere({ req }: Context): boolean {
    if (req.method === 'GET' || req.method === 'HEAD') return true;
    const site = req.header('sec-fetch-site');
    if (site !== undefined) return site === 'same-origin' || site === 'none';
    const origin = req.header('origin');
    return origin === undefined ? req.header('x-partloop') === '1' : URL.parse(origin)?.host === req.header('host');
  }

  #hasEntered(context: Context): boolean {
    const given = Buffer.from(getCookie(context, ACCESS) ?? '');
    const wanted = Buffer.from(this.#seal());
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #seal(): string {
    return createHmac('sha256', this.#secret).update('entered').digest('base64url');
  }
}

/** A path of this board, and never another server. */
export const localPath = (path: string): string => (/^\/(?![/\\])[^\s\\]*$/.test(path) ? path : '/');

/** The reviewer of a request; a new session gets its id. */
export function reviewerOf(context: Context): Reviewer {
  const parsed = sessionIdSchema.safeParse(getCookie(context, SESSION));
  const session = parsed.success ? parsed.data : randomBytes(18).toString('base64url');
  if (!parsed.success) setCookie(context, SESSION, session, { httpOnly: true, sameSite: 'Strict', path: '/' });
  const name = boardReviewerSchema.safeParse(getCookie(context, NAME));
  return { session, name: name.success ? name.data : null };
}

/** Remember the name for later visits. */
export function setReviewerName(context: Context, name: string): void {
  setCookie(context, NAME, name, { ...LINKED, maxAge: YEAR_S });
}
