pub fn charge(ctx: Context) {}
#[doc(hidden)]
#[allow(missing_debug_implementations, non_camel_case_types)]
#[warn(dead_code, reason = "in no `handlers![…]`, so its attribute does nothing")]
pub enum charge {}
#[allow(deprecated)]
impl ::bridge::__rt::Operation for charge {
    const ID: ::bridge::__rt::OperationId = ::bridge::__rt::OperationId::REFUSED;
    fn add_to(__handlers: &mut ::bridge::Handlers) {
        ::core::compile_error! {
            "BR0014: handler `charge` takes no message; add one, such as `req: ChargeRequest`"
        }
        ::core::compile_error! {
            "BR0011: handler `charge` is not async; write `async fn charge`"
        }
        ::core::compile_error! {
            "BR0017: handler `charge` returns nothing; write `-> Result<Reply, Error>`"
        }
    }
}
