async fn list(Json(a): Json<A>, Path((a, b)): Path<(A, B)>) {}
#[doc(hidden)]
#[allow(missing_debug_implementations, non_camel_case_types)]
#[warn(dead_code, reason = "in no `handlers![…]`, so its attribute does nothing")]
enum list {}
#[allow(deprecated)]
impl ::bridge::__rt::Operation for list {
    const ID: ::bridge::__rt::OperationId = ::bridge::__rt::OperationId::REFUSED;
    fn add_to(__handlers: &mut ::bridge::Handlers) {
        ::core::compile_error! {
            "BR0054: this takes the body of the request, so it is the last argument; move it there"
        }
        ::core::compile_error! {
            "BR0053: `Path` takes 2 values, the path has 1 placeholder; if a router around it has the rest, write the whole path"
        }
    }
}
