//! A type of which something is told; the traits around it decide what.

use std::marker::PhantomData;

/// A type in the signature of a handler, or in an error.
#[derive(Debug)]
pub struct Told<T>(PhantomData<fn() -> T>);

/// Stands for a type that only the caller of a generic handler knows.
#[derive(Debug)]
pub enum Any {}

impl<T> Told<T> {
    /// The type `T`.
    #[expect(clippy::new_without_default, reason = "made by generated code only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}
