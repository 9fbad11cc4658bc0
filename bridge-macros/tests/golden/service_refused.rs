impl Payments {
    #[rpc(__read_by_service)]
    async fn charge(&mut self, req: Req) -> Result<A, B> {}
}
#[allow(deprecated)]
impl ::core::convert::From<Payments> for my::bridge::Handlers {
    fn from(__service: Payments) -> Self {
        ::core::compile_error! {
            "BR0063: calls of `charge` run side by side, so none of them may have the service for itself; write `&self`, and put what changes into a `Mutex` or an atomic"
        }
        Self::default()
    }
}
