//! What a generated type says about itself in one place, and gets everything else for.

/// The table of a generated message, and the impls that follow from it.
#[doc(hidden)]
#[macro_export]
macro_rules! describe_message {
    (
        $rust:ident as $table:ident, $name:literal, requires: $requires:literal, doc: $doc:literal;
        $($number:literal $field:literal $json:literal
            ($label:expr, $kind:expr, $oneof:expr) $field_doc:literal;)*
    ) => {
        #[doc(hidden)]
        #[allow(non_upper_case_globals)]
        pub static $table: $crate::message::MessageTable = {
            #[allow(unused_imports)]
            use $crate::message::{Kind, Label, Scalar, well_known as __well_known};
            $crate::message::MessageTable {
                name: $name,
                doc: $doc,
                form: $crate::message::Form::Fields,
                requires: $requires,
                fields: &[$($crate::message::FieldTable {
                    number: $number,
                    name: $field,
                    json: $json,
                    doc: $field_doc,
                    label: $label,
                    kind: $kind,
                    oneof: $oneof,
                }),*],
            }
        };

        $crate::message_impls!($rust, $table);

        impl $crate::codec::Native for $rust {
            type Codec = $crate::codec::Msg<Self>;
            const KIND: $crate::message::Kind = $crate::message::Kind::Message(&$table);
        }
    };
}

/// The table of a generated enum, and the impls that follow from it.
#[doc(hidden)]
#[macro_export]
macro_rules! describe_enum {
    (
        $rust:ident as $table:ident, $name:literal, closed: $closed:literal, doc: $doc:literal;
        variants { $($variant:ident = $number:literal),* }
        names { $($value:literal = $value_number:literal),* }
        $(native { $($native:tt)* })?
    ) => {
        #[doc(hidden)]
        #[allow(non_upper_case_globals)]
        pub static $table: $crate::message::EnumTable = $crate::message::EnumTable {
            name: $name,
            doc: $doc,
            closed: $closed,
            values: &[$(($value, $value_number)),*],
        };

        impl $rust {
            /// The name that the contract gives it, if it has one.
            pub fn name(self) -> ::core::option::Option<&'static str> {
                $table.name_of(self.into())
            }

            /// The value with a name of the contract.
            pub fn from_name(name: &str) -> ::core::option::Option<Self> {
                $table.number_of(name).map(Self::from)
            }
        }

        #[allow(deprecated)]
        impl ::core::convert::From<i32> for $rust {
            fn from(number: i32) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    _ => Self::Unrecognized(number),
                }
            }
        }

        #[allow(deprecated)]
        impl ::core::convert::From<$rust> for i32 {
            fn from(value: $rust) -> i32 {
                match value {
                    $($rust::$variant => $number,)*
                    $rust::Unrecognized(number) => number,
                }
            }
        }

        // Asked for here alone, so that what lacks it is told so once: with a lifetime the second
        // bound is taken for granted until it is used.
        impl $crate::codec::Native for $rust
        where
            $rust: ::core::marker::Copy,
        {
            type Codec = $crate::codec::Enum<Self>;
            const KIND: $crate::message::Kind = $crate::message::Kind::Enum(&$table);

            $($($native)*)?
        }

        $crate::__implicit_field! {
            $rust, $crate::codec::ByType, where for<'__any> $rust: ::core::marker::Copy
        }
    };
}
