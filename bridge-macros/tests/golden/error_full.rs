#[automatically_derived]
#[allow(deprecated, unused_variables)]
impl ::bridge::BusinessError for ChargeError {
    fn code(&self) -> &'static str {
        match *self {
            Self::OutOfStock { .. } => "OUT_OF_STOCK",
            Self::Declined { .. } => "CARD_DECLINED",
            Self::Legacy { .. } => "LEGACY",
        }
    }
    fn message(&self) -> ::std::string::String {
        ::bridge::__rt::error_message(self)
    }
    fn from_wire(__code: &str, __message: &str) -> ::core::option::Option<Self> {
        match __code {
            "OUT_OF_STOCK" => ::core::option::Option::Some(Self::OutOfStock),
            "CARD_DECLINED" => {
                ::core::option::Option::Some(
                    Self::Declined(::std::string::String::from(__message)),
                )
            }
            "LEGACY" => {
                ::core::option::Option::Some(
                    Self::Legacy(::std::string::String::from(__message)),
                )
            }
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated, unused_variables)]
impl ::core::fmt::Display for ChargeError {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Self::OutOfStock { .. } => __f.write_str("out of stock"),
            Self::Declined(ref __message) => __f.write_str(__message),
            Self::Legacy(ref __message) => __f.write_str(__message),
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::core::error::Error for ChargeError {}
#[automatically_derived]
impl ::bridge::__rt::IntoResponse for ChargeError {
    fn into_response(self) -> ::bridge::__rt::Response {
        ::bridge::__rt::problem(&self)
    }
}
::bridge::__rt::openapi_error! {
    ChargeError { ("OUT_OF_STOCK", ::bridge::__rt::STATUS_DEFAULT, "out of stock" {})
    ("CARD_DECLINED", ::bridge::__rt::STATUS_DEFAULT, "" {}) ("LEGACY",
    ::bridge::__rt::STATUS_DEFAULT, "" {}) }
}
