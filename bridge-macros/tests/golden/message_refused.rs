#[allow(clippy::all, clippy::pedantic, deprecated, unused_variables)]
const _: () = {
    static __TABLE: ::bridge::__rt::message::MessageTable = ::bridge::__rt::message::MessageTable {
        name: "Broken",
        doc: "",
        form: ::bridge::__rt::message::Form::Fields,
        requires: false,
        fields: &[],
    };
    #[automatically_derived]
    impl ::core::default::Default for Broken {
        fn default() -> Self {
            ::core::compile_error! {
                "BR0073: `text` has no number; give it one that no other field has or had, as `#[bridge(1)]`"
            }
        }
    }
    #[automatically_derived]
    impl ::bridge::__rt::prost::Message for Broken {
        fn encode_raw(&self, _: &mut impl ::bridge::__rt::codec::BufMut) {}
        fn encoded_len(&self) -> usize {
            0
        }
        fn merge_field(
            &mut self,
            __tag: u32,
            __wire_type: ::bridge::__rt::codec::WireType,
            __buf: &mut impl ::bridge::__rt::codec::Buf,
            __ctx: ::bridge::__rt::codec::DecodeContext,
        ) -> ::bridge::__rt::codec::Merged {
            ::bridge::__rt::codec::skip_field(__wire_type, __tag, __buf, __ctx)
        }
        fn clear(&mut self) {}
    }
    #[automatically_derived]
    impl ::bridge::__rt::codec::Native for Broken {
        type Codec = ::bridge::__rt::codec::Msg<Self>;
        const KIND: ::bridge::__rt::message::Kind = ::bridge::__rt::message::Kind::Declared(||
        &__TABLE);
    }
    ::bridge::__rt::message_impls! {
        Broken, __TABLE
    }
};
