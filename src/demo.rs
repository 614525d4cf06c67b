//! `cloakroom demo`: everything in one process on loopback, nothing to install or configure (contract §2, §11).
