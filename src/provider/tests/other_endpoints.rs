//! other_endpoints
