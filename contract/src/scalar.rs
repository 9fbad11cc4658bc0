//! The scalar types of the wire, shared by the contract model and the message tables.
//!
//! Holds names only: how a value is written is said where it is written.

macro_rules! scalars {
    ($($variant:ident = $keyword:literal),+ $(,)?) => {
        /// A scalar type, under its `.proto` keyword.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Scalar {
            $(#[doc = concat!("`", $keyword, "`")] $variant,)+
        }

        impl Scalar {
            /// The keyword exactly as a `.proto` spells it.
            #[must_use]
            pub fn keyword(self) -> &'static str {
                match self { $(Self::$variant => $keyword,)+ }
            }
        }
    };
}

scalars! {
    Double = "double", Float = "float", Int32 = "int32", Int64 = "int64", Uint32 = "uint32",
    Uint64 = "uint64", Sint32 = "sint32", Sint64 = "sint64", Fixed32 = "fixed32",
    Fixed64 = "fixed64", Sfixed32 = "sfixed32", Sfixed64 = "sfixed64", Bool = "bool",
    String = "string", Bytes = "bytes",
}
