//! The SPA's files (contract §11): history fallback, CSP with a nonce, caching.
