//! What the open doors promise, over real sockets.
