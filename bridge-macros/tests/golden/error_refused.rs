#[automatically_derived]
impl ::bridge::BusinessError for Broken {
    fn code(&self) -> &'static str {
        ::core::compile_error! {
            "BR0032: an error is a code and a message on the wire; write `Fields` or `Fields(String)`"
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
