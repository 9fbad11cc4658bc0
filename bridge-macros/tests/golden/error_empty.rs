#[automatically_derived]
#[allow(deprecated, unused_variables)]
impl my::bridge::BusinessError for Never {
    fn code(&self) -> &'static str {
        match *self {}
    }
    fn message(&self) -> ::std::string::String {
        my::bridge::__rt::error_message(self)
    }
    fn from_wire(__code: &str, __message: &str) -> ::core::option::Option<Self> {
        match __code {
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated, unused_variables)]
impl ::core::fmt::Display for Never {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {}
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::core::error::Error for Never {}
#[automatically_derived]
impl my::bridge::__rt::IntoResponse for Never {
    fn into_response(self) -> my::bridge::__rt::Response {
        my::bridge::__rt::problem(&self)
    }
}
my::bridge::__rt::openapi_error! {
    Never {}
}
