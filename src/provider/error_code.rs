//! The error codes that may be repeated to a browser: the registered ones, and nothing else that a provider may say.

/// The code itself where it is registered (OAuth Extensions Error Registry; OpenID Connect Core §3.1.2.6), else `other`. What
/// comes back is our own text, never the provider's.
pub fn registered_error_code(code: &str) -> &'static str {
    REGISTERED
        .iter()
        .find(|registered| **registered == code)
        .copied()
        .unwrap_or("other")
}

const REGISTERED: [&str; 40] = [
    // RFC 6749 §4.1.2.1, §5.2
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "invalid_scope",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    // RFC 6750 §3.1, RFC 7009 §2.2.1, RFC 9470 §3
    "invalid_token",
    "insufficient_scope",
    "unsupported_token_type",
    "insufficient_user_authentication",
    // OpenID Connect Core §3.1.2.6, Unmet Authentication Requirements 1.0
    "interaction_required",
    "login_required",
    "account_selection_required",
    "consent_required",
    "invalid_request_uri",
    "invalid_request_object",
    "request_not_supported",
    "request_uri_not_supported",
    "registration_not_supported",
    "unmet_authentication_requirements",
    // RFC 8628 §3.5, RFC 8707 §2, RFC 9396 §5, RFC 9449 §5 and §8
    "authorization_pending",
    "slow_down",
    "expired_token",
    "invalid_target",
    "invalid_authorization_details",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    // Client-Initiated Backchannel Authentication §13, User-Managed Access 2.0 §3.3.6
    "expired_login_hint_token",
    "unknown_user_id",
    "missing_user_code",
    "invalid_user_code",
    "invalid_binding_message",
    "transaction_failed",
    "need_info",
    "request_denied",
    "request_submitted",
];
