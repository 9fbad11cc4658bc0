#[automatically_derived]
impl ::bridge::BusinessError for Broken {
    fn code(&self) -> &'static str {
        ::core::compile_error! {
            "BR0032: what travels has a name; write `Fields`, `Fields(String)`, `Fields { field: Type }` or `Fields(#[source] Type)`"
        }
    }
    fn message(&self) -> ::std::string::String {
        ::std::string::String::new()
    }
    fn from_wire(_: &str, _: &str) -> ::core::option::Option<Self> {
        ::core::option::Option::None
    }
}
#[automatically_derived]
impl ::core::fmt::Display for Broken {
    fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::result::Result::Ok(())
    }
}
#[automatically_derived]
impl ::core::error::Error for Broken {}
#[automatically_derived]
impl ::bridge::__rt::IntoResponse for Broken {
    fn into_response(self) -> ::bridge::__rt::Response {
        ::bridge::__rt::problem(&self)
    }
}
