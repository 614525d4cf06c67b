/**
 * Browser client of Cloakroom: sign in, sign out, and call APIs, while the tokens stay where script cannot read them.
 * One file, no imports, nothing to build; works under a strict Content-Security-Policy with Trusted Types.
 *
 *     import { createTokenHandler } from './token-handler.js';
 *
 *     const handler = createTokenHandler({ agent: '/oauth-agent', apis: ['/api'] });
 *     handler.subscribe((session) => render(session));
 *     handler.on('loggedout', ({ reason }) => forgetWhatWasShown(reason));
 *     const session = await handler.ready;
 *     if (session.status === 'anonymous') await handler.login({ returnTo: '/orders/42' });
 *     const orders = await handler.fetch('/api/orders');
 *
 * What it promises:
 *
 * 1. It never sees a token, and writes nothing to web storage: what it knows lives in this object.
 * 2. Times come from the server as seconds remaining and are kept on the monotonic clock (`performance.now()`),
 *    so a wrong wall clock in the browser changes nothing.
 * 3. One renewal per browser: a promise within the tab, a Web Lock across tabs. Where Web Locks are missing (plain http
 *    off loopback, blocked storage) it looks before it renews, and the server's own single flight still holds. A request
 *    is sent again at most once, and a stream never.
 * 4. Tabs move in step over a BroadcastChannel: signed out in one is signed out in all. Without one they find out
 *    at their next call or look. Each tab is told of each event once, however it finds out.
 * 5. `fetch` speaks only to the API prefixes it was given. Anything else is refused before it leaves the browser,
 *    so that neither cookies nor the CSRF header go astray by a typing error.
 * 6. A browser that does not keep the cookies is found out before the page is left: `login` rejects with
 *    `cookie_blocked` instead of going round in circles.
 */
export type TokenHandlerOptions = {
    /**
     * The app's `agent_path`, or its absolute URL on another origin. Default `/oauth-agent`.
     */
    agent?: string;
    /**
     * Path prefixes (whole segments) or absolute URLs that `fetch` may call. Default `['/api']`.
     */
    apis?: readonly string[];
    /**
     * How to leave the page. Default `location.assign`.
     */
    navigate?: (url: string) => void;
    /**
     * How long to wait for the agent, and for another tab's renewal. Default 30.
     */
    timeoutSeconds?: number;
    /**
     * How long before its end a session is `expiring`. Default 120.
     */
    warnSeconds?: number;
};
/**
 * `cookie_blocked`: the browser refuses the cookies, so a sign-in cannot work. `unknown`: the agent could not be asked;
 * `error` says why, and the client keeps asking.
 */
export type AnonymousReason = 'none' | 'expired' | 'logged_out' | 'revoked' | 'cookie_blocked' | 'unknown';
/**
 * Until the agent has spoken, and again when a page comes out of the back/forward cache.
 */
export type LoadingSession = Readonly<{
    status: 'loading';
}>;
/**
 * Nobody is signed in; `error` where that is not known but feared.
 */
export type AnonymousSession = Readonly<{
    status: 'anonymous';
    reason: AnonymousReason;
    error?: TokenHandlerError;
}>;
/**
 * Claims of the ID token. `handle` names the session: another one after each sign-in. Times are points on this tab's `performance.now()` clock, in milliseconds; null: not told.
 * `idleExpiresAt` is as of the last look: calls slide it on the server. `expiring`: the session ends within
 * `warnSeconds` unless somebody does something; `refresh()` is such a thing, unless its absolute lifetime is over.
 */
export type AuthenticatedSession = Readonly<{
    status: 'authenticated';
    handle: string;
    claims: Readonly<Record<string, unknown>>;
    accessExpiresAt: number | null;
    idleExpiresAt: number | null;
    sessionExpiresAt: number | null;
    expiring: boolean;
}>;
/**
 * The session as this tab knows it.
 */
export type Session = LoadingSession | AnonymousSession | AuthenticatedSession;
/**
 * What `on` listens to; each once in every tab that knew the session, after `session` has been replaced. A page that
 * starts signed out is told nothing.
 *
 * `loggedout`: the session is over. `from`: `this_tab` or `another_tab`, where `logout()` was called; `server`, where the
 * agent said so at a call or a look, in whichever tab. `expiring`: it ends in `seconds` unless somebody does something.
 * `superseded`: this tab was behind. By a `login`: another sign-in, perhaps of somebody else, took the session's place; by a
 * `renewal`: a request met 409 `refresh_superseded` and was answered when it was sent again.
 */
export type SessionEvents = {
    loggedout: Readonly<{
        reason: AnonymousReason;
        from: 'this_tab' | 'another_tab' | 'server';
    }>;
    expiring: Readonly<{
        seconds: number;
    }>;
    superseded: Readonly<{
        by: 'login' | 'renewal';
    }>;
};
/**
 * All of them only tighten what is configured.
 */
export type LoginOptions = {
    /**
     * Where to come back to. Default: the current path, query and fragment.
     */
    returnTo?: string;
    /**
     * `none`, `login`, `consent` or `select_account`.
     */
    prompt?: string;
    /**
     * Who wants to sign in, as the provider knows them.
     */
    loginHint?: string;
    /**
     * How strongly, out of what is configured.
     */
    acrValues?: string | readonly string[];
    /**
     * How fresh at least, in seconds; at most what is configured.
     */
    maxAge?: number;
    /**
     * Languages for the provider's pages.
     */
    uiLocales?: string | readonly string[];
    /**
     * A subset of the configured scopes that keeps `openid`.
     */
    scope?: string | readonly string[];
};
export type TokenHandlerMembers = {
    /**
     * The session as known now: a frozen snapshot, replaced (never changed) when it changes.
     */
    session: Session;
    /**
     * Settles with the first answer of the agent; never rejects.
     */
    ready: Promise<Session>;
    /**
     * Calls `listener` at every change; gives back the way to stop it. Fits React's `useSyncExternalStore`.
     */
    subscribe: (listener: (session: Session) => void) => () => void;
    /**
     * Calls `listener` at every such event; gives back the way to stop it.
     */
    on: <E extends keyof SessionEvents>(event: E, listener: (told: SessionEvents[E]) => void) => () => void;
    /**
     * Leaves for the provider's sign-in page. Rejects with `cookie_blocked` where the way back could not work.
     */
    login: (options?: LoginOptions) => Promise<void>;
    /**
     * Ends the session here, in other tabs and at the server; `leaving`: the page is now on its way to the provider, to end the session there, too.
     */
    logout: () => Promise<{
        leaving: boolean;
    }>;
    /**
     * Renews the access token now. API calls need no such help.
     */
    refresh: () => Promise<Session>;
    /**
     * Asks the agent for the session again. Renews nothing and slides no timeout.
     */
    reload: () => Promise<Session>;
    /**
     * `fetch` for the APIs: session and CSRF header go along. Like `fetch` it resolves for every answer, also a 401.
     */
    fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
    /**
     * The provider's claims about the user.
     */
    userinfo: () => Promise<Record<string, unknown>>;
    /**
     * Stops timers and listeners.
     */
    dispose: () => void;
};
/**
 * What {@link createTokenHandler} gives.
 */
export type TokenHandler = Readonly<TokenHandlerMembers>;
/**
 * Everything that goes wrong with the agent, and a `fetch` that was refused.
 * `code` is stable: the server's (`session_expired`, `provider_unavailable`, …), or one of this file:
 * `network_error`, `unexpected_answer`, `cookie_blocked`, `not_an_api`, `invalid_option`; of a sign-in that failed the
 * code is the `login_error`, see {@link takeLoginError}.
 */
export declare class TokenHandlerError extends Error {
    code: string;
    /** HTTP status; 0 when no answer came. */
    status: number;
    /** Finds the line in the server's log. */
    requestId: string;
    /** The provider's registered error code, where it refused. */
    providerError: string;
    /** Whether the same call may succeed later without anything being changed. */
    retryable: boolean;
    /** @param {{ code: string, message: string, status?: number, requestId?: string, providerError?: string, cause?: unknown }} about */
    constructor({ code, message, status, requestId, providerError, cause }: {
        code: string;
        message: string;
        status?: number;
        requestId?: string;
        providerError?: string;
        cause?: unknown;
    });
}
/**
 * One for the whole app. Asks for the session at once.
 * @param {TokenHandlerOptions} [options]
 * @returns {TokenHandler}
 */
export declare function createTokenHandler(options?: TokenHandlerOptions): TokenHandler;
/**
 * What a sign-in that failed left in the address bar (`login_error`, `request_id`, `provider_error`), taken out of it, so
 * that a reload or a copied link does not tell it again. Null where there is none. Call it before anything signs in by
 * itself: after a failure the user decides.
 * @returns {TokenHandlerError | null}
 */
export declare function takeLoginError(): TokenHandlerError | null;
