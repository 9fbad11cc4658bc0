//! How to adopt bridge, a level at a time; each level is useful without the next.
//!
//! | level | what you write | what you get |
//! |---|---|---|
//! | [0](level_0) | one line around the application | routes, traces, counts, deadlines, problem details |
//! | [1](level_1) | a line above a handler | deadlines and idempotency that hold, typed errors, no drift |
//! | [2](level_2) | a contract | messages, typed clients and handlers, a gate before what breaks callers |

#[doc = include_str!("../guide/0-observe.md")]
pub mod level_0 {}

#[doc = include_str!("../guide/1-annotate.md")]
pub mod level_1 {}

// Its code is compiled in `examples/greeter`, where the contract is.
#[cfg_attr(not(doctest), doc = include_str!("../guide/2-contracts.md"))]
#[allow(clippy::needless_doctest_main)] // a build script is shown whole
pub mod level_2 {}
