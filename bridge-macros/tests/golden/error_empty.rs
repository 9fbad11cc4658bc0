#[automatically_derived]
#[allow(deprecated)]
impl my::bridge::BusinessError for Never {
    fn code(&self) -> &'static str {
        match *self {}
    }
    fn message(&self) -> ::std::string::String {
        match *self {}
    }
    fn from_wire(__code: &str, __message: &str) -> ::core::option::Option<Self> {
        match __code {
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::core::fmt::Display for Never {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {}
    }
}
#[automatically_derived]
impl ::core::error::Error for Never {}
