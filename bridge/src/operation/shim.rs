//! What generated code says about its types, with and without the feature.
//!
//! A macro of another crate cannot ask for a feature of this one, so it writes the same in both cases,
//! and here it becomes something or nothing: without the feature no type is looked at.
//!
//! Invariant: what is passed is types, names and literals, and none of it runs for a request.

/// Adds to an operation what its signature says: `openapi!(operation, [Argument, …], Answer)`, the
/// answer only where it can be named.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "openapi")]
macro_rules! __openapi {
    ($operation:ident, [$($argument:ty),*] $(, $answer:ty)?) => {
        $operation.told_by(|docs| {
            #[allow(unused_imports)]
            use $crate::__rt::docs::{
                DescribedAnswer as _, DescribedArgument as _, FailedAnswer as _, KnownAnswer as _,
                KnownArgument as _, OpaqueAnswer as _, Present as _, UnknownArgument as _, Whole as _,
            };
            $((&&&$crate::__rt::docs::Told::<$argument>::new().value(docs)).argument(docs);)*
            $(
                let answer = $crate::__rt::docs::Told::<$answer>::new();
                (&&&&answer.good(docs).last(docs)).answer(docs);
                (&&&&answer.failure(docs).last(docs)).answer(docs);
            )?
        });
    };
}

/// Makes an error say its problems: `openapi_error!(OrderError { ("CODE", 409, "text", flag,
/// { field: Type, … }) … })`.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "openapi")]
macro_rules! __openapi_error {
    ($error:ident { $(($($variant:tt)*))* }) => {
        #[automatically_derived]
        #[allow(deprecated)]
        impl $crate::__rt::docs::ErrorDocs for $error {
            const NAME: &'static str = ::core::stringify!($error);

            fn tell(problems: &mut $crate::__rt::docs::Problems<'_>) {
                #[allow(unused_imports)]
                use $crate::__rt::docs::{DescribedField as _, OpaqueField as _};
                $($crate::__openapi_error!(@ problems $($variant)*);)*
            }
        }
    };
    (@ $problems:ident transparent) => {
        $problems.any();
    };
    (@ $problems:ident $code:literal, $status:expr, $text:literal $(, $flag:ident)? {
        $($field:literal: $ty:ty),*
    }) => {
        $problems.variant($code, $status, $text)$(.$flag())?;
        $((&&$crate::__rt::docs::Told::<$ty>::new()).field($field, $problems);)*
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "openapi"))]
macro_rules! __openapi {
    ($($told:tt)*) => {};
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "openapi"))]
macro_rules! __openapi_error {
    ($($told:tt)*) => {};
}
