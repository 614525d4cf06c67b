//! The OAuth proxy: attach, forward, stream back (contract §5 steps 9 to 11).
//!
//! One request, one task. The task that serves the browser's connection also polls the upstream connection it uses:
//! nothing is handed to another task, so nothing has to wake one. Idle upstream connections rest in a pool of the
//! thread they were last used on; nothing is shared between threads.
//!
//! | file | what it does |
//! | --- | --- |
//! | `headers` | which request headers the upstream may see, and ours anew |
//! | `attach` | the one `Authorization` |
//! | `forward` | one request through: a connection, an exchange, a second try where that is safe |
//! | `exchange` | sends and waits for the head of the answer, in time |
//! | `upload` | the request body as it comes: counted, cut, watched |
//! | `outbox` | head and body on their way into the socket |
//! | `connect` | TCP and TLS towards an upstream |
//! | `link` | one upstream connection: socket, arrived bytes, deadline |
//! | `timer` | a deadline that is cheap to move |
//! | `pool` | the idle connections of this thread |
//! | `answer_head` | the head of an answer, and whether it is one |
//! | `decode` | where the body of an answer ends |
//! | `body` | the response body, which gives the connection back |
//! | `answer` | which response headers the browser may see, and ours anew |
//!
//! Trusted: the configured upstream, as far as its route goes. Its answer may still not set our cookies, loosen CORS,
//! or hand the token to script.

mod answer;
mod answer_head;
mod attach;
mod body;
mod connect;
mod decode;
mod exchange;
mod forward;
mod headers;
mod link;
mod outbox;
mod pool;
mod timer;
mod upload;

pub(crate) use answer::{Rewritten, never_store, rewrite};
pub use body::UpstreamBody;
pub(crate) use connect::Connector;
pub(crate) use forward::{Forward, Passage, is_idempotent};
pub(crate) use headers::Identity;
