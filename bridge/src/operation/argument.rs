//! What the arguments and the answer of an axum handler say about it.
//!
//! Extractors are told apart by type, without asking anything of those that are not known: an
//! inherent method of `Argument<Json<T>>` is found before the method of [`Opaque`], which every argument
//! is behind a reference. A trait would do as well, but each handler would have to import it. What a
//! known extractor needs is said at the argument, in our words.
//!
//! Invariant: an argument that axum takes is never refused here.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::Json;
use axum::extract::{Path, Query};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use super::http::HttpOperation;

/// An argument's type.
#[derive(Debug)]
pub struct Argument<T>(PhantomData<fn(T)>);

impl<T> Argument<T> {
    /// The argument of type `T`.
    #[expect(clippy::new_without_default, reason = "made by generated code only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// An argument whose type is called `Client<…>`. One of ours without a contract has no type, so
/// nothing else may be a candidate for it.
#[derive(Debug)]
pub struct ClientArgument<T>(PhantomData<fn(T)>);

impl<T> ClientArgument<T> {
    /// The argument of type `T`.
    pub const IT: Self = Self(PhantomData);
}

/// An argument that is the handler's own business.
#[derive(Debug)]
pub struct Opaque;

impl Opaque {
    /// Adds nothing.
    pub fn describe(&self, _: &mut HttpOperation) {}
}

impl<T> Deref for Argument<T> {
    type Target = Opaque;

    fn deref(&self) -> &Opaque {
        &Opaque
    }
}

impl<T> Deref for ClientArgument<T> {
    type Target = Opaque;

    fn deref(&self) -> &Opaque {
        &Opaque
    }
}

impl<T> Argument<Json<T>> {
    /// Checks what is read from the body.
    pub fn describe(&self, _: &mut HttpOperation)
    where
        T: Readable,
    {
    }
}

impl<T> Argument<Path<T>> {
    /// Checks what is read from the path.
    pub fn describe(&self, _: &mut HttpOperation)
    where
        T: Readable,
    {
    }
}

impl<T> Argument<Query<T>> {
    /// Checks what is read from the query.
    pub fn describe(&self, _: &mut HttpOperation)
    where
        T: Readable,
    {
    }
}

/// What can be read from a request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a request",
    label = "cannot be read from a request",
    note = "put `#[derive(serde::Deserialize)]` on `{Self}`"
)]
pub trait Readable {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Readable for T {}

/// What a handler can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer to a request",
    label = "no answer to a request",
    note = "return `Json<T>`, a status, text, or `Result` of two answers",
    note = "an enum is an answer with `#[derive(Debug, bridge::Error)]`"
)]
pub trait HttpAnswer {}

#[diagnostic::do_not_recommend]
impl<T: IntoResponse> HttpAnswer for T {}

/// Checks what a handler returns, where it is named; it is not called.
pub const fn answers<T: HttpAnswer>() {}

/// Checks that the work of a handler can move between threads. Other attributes may have made
/// something else of the function than a future.
pub fn can_be_sent<F: Send>(_: F) {}

/// What recognises a call as one that was made already.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an idempotency key",
    label = "not a string or an integer",
    note = "name a field of the request that is a string or an integer"
)]
pub trait KeyField {
    /// The key as text; empty when there is none.
    fn key_text(&self) -> String;
}

impl KeyField for String {
    fn key_text(&self) -> String {
        self.clone()
    }
}

macro_rules! key_fields {
    ($($ty:ty),*) => {$(
        impl KeyField for $ty {
            /// A field that nobody set is 0, so 0 is no key: it would be everybody's.
            fn key_text(&self) -> String {
                if *self == 0 { String::new() } else { self.to_string() }
            }
        }
    )*};
}
key_fields!(i32, i64, u32, u64);

/// The text of a key; empty when there is none.
pub fn key_text<T: KeyField>(field: &T) -> String {
    field.key_text()
}
