#[automatically_derived]
#[allow(deprecated, unused_variables)]
impl ::bridge::BusinessError for OrderError {
    fn code(&self) -> &'static str {
        match *self {
            Self::OutOfStock { .. } => "OUT_OF_STOCK",
            Self::Payments { .. } => "PAYMENTS_DOWN",
            Self::Storage { .. } => "STORAGE",
            Self::Closed { .. } => "CLOSED",
            Self::Call { 0: ref __call } => ::bridge::__rt::failed::code(__call),
        }
    }
    fn message(&self) -> ::std::string::String {
        ::bridge::__rt::error_message(self)
    }
    fn from_wire(__code: &str, __message: &str) -> ::core::option::Option<Self> {
        match __code {
            "OUT_OF_STOCK" => {
                use ::bridge::__rt::StrangeField as _;
                let mut __fields = ::bridge::__rt::ErrorFields::of_message(__message)?;
                ::core::option::Option::Some(Self::OutOfStock {
                    sku: ::bridge::__rt::Field::<String>::new()
                        .take(&mut __fields, "sku")?,
                    left: ::bridge::__rt::Field::<u32>::new()
                        .take(&mut __fields, "left")?,
                })
            }
            "PAYMENTS_DOWN" => {
                ::core::option::Option::Some(Self::Payments {
                    0: ::bridge::__rt::failed::left_behind(),
                })
            }
            "CLOSED" => ::core::option::Option::Some(Self::Closed),
            _ => {
                ::bridge::__rt::failed::from_wire(__code, __message)
                    .map(|__call| Self::Call { 0: __call })
            }
        }
    }
    fn status(&self) -> u16 {
        match *self {
            Self::OutOfStock { .. } => 409u16,
            Self::Payments { .. } => 503u16,
            Self::Storage { .. } => ::bridge::__rt::STATUS_DEFAULT,
            Self::Closed { .. } => ::bridge::__rt::STATUS_DEFAULT,
            Self::Call { 0: ref __call } => ::bridge::__rt::failed::status(__call),
        }
    }
    fn grpc(&self) -> i32 {
        match *self {
            Self::OutOfStock { .. } => ::bridge::__rt::grpc_of(self),
            Self::Payments { .. } => ::bridge::__rt::grpc_of(self),
            Self::Storage { .. } => 10i32,
            Self::Closed { .. } => ::bridge::__rt::grpc_of(self),
            Self::Call { 0: ref __call } => ::bridge::__rt::failed::grpc(__call),
        }
    }
    fn retryable(&self) -> bool {
        match *self {
            Self::OutOfStock { .. } => false,
            Self::Payments { .. } => true,
            Self::Storage { .. } => false,
            Self::Closed { .. } => false,
            Self::Call { 0: ref __call } => ::bridge::__rt::failed::retryable(__call),
        }
    }
    fn fields(&self) -> ::bridge::__rt::ErrorFields {
        match *self {
            Self::OutOfStock { sku: ref __field0, left: ref __field1, .. } => {
                ::bridge::__rt::ErrorFields::default()
                    .with::<String>("sku", __field0)
                    .with::<u32>("left", __field1)
            }
            Self::Storage { order: ref __field0, .. } => {
                ::bridge::__rt::ErrorFields::default().with::<String>("order", __field0)
            }
            _ => ::bridge::__rt::ErrorFields::default(),
        }
    }
}
#[automatically_derived]
#[allow(deprecated, unused_variables)]
impl ::core::fmt::Display for OrderError {
    fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        match *self {
            Self::OutOfStock { ref sku, ref left, .. } => {
                __f.write_fmt(::core::format_args!("{left} of {sku} left"))
            }
            Self::Payments { .. } => __f.write_str("payments"),
            Self::Storage { .. } => __f.write_str("storage"),
            Self::Closed { .. } => __f.write_str("closed"),
            Self::Call { 0: ref __call } => {
                __f.write_str(::bridge::__rt::failed::text(__call))
            }
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::core::error::Error for OrderError {
    fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
        match *self {
            Self::Payments { 0: ref __source, .. } => {
                ::core::option::Option::Some(__source)
            }
            Self::Storage { cause: ref __source, .. } => {
                ::core::option::Option::Some(__source)
            }
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
#[allow(deprecated)]
impl ::core::convert::From<CallError> for OrderError {
    fn from(__source: CallError) -> Self {
        Self::Call { 0: __source }
    }
}
#[automatically_derived]
impl ::bridge::__rt::IntoResponse for OrderError {
    fn into_response(self) -> ::bridge::__rt::Response {
        ::bridge::__rt::problem(&self)
    }
}
::bridge::__rt::openapi_error! {
    OrderError { ("OUT_OF_STOCK", 409u16, "{left} of {sku} left" { "sku" : String, "left"
    : u32 }) ("PAYMENTS_DOWN", 503u16, "payments", retryable {}) ("STORAGE",
    ::bridge::__rt::STATUS_DEFAULT, "storage" { "order" : String }) ("CLOSED",
    ::bridge::__rt::STATUS_DEFAULT, "closed" {}) (transparent) }
}
