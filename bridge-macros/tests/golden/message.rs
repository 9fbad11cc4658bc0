#[allow(clippy::all, clippy::pedantic, deprecated, unused_variables)]
const _: () = {
    const __OWN: &[::bridge::__rt::message::FieldTable] = &[
        ::bridge::__rt::message::FieldTable {
            number: 1u32,
            name: "customer",
            json: "customer",
            doc: "Who.",
            label: <String as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::ByType,
                ::bridge::__rt::codec::ByType,
            >>::LABEL,
            kind: <String as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::ByType,
                ::bridge::__rt::codec::ByType,
            >>::KIND,
            oneof: ::core::option::Option::None,
        },
        ::bridge::__rt::message::FieldTable {
            number: 7u32,
            name: "seen",
            json: "seenAt",
            doc: "",
            label: <Option<
                u64,
            > as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::Fixed64,
                ::bridge::__rt::codec::ByType,
            >>::LABEL,
            kind: <Option<
                u64,
            > as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::Fixed64,
                ::bridge::__rt::codec::ByType,
            >>::KIND,
            oneof: ::core::option::Option::None,
        },
        ::bridge::__rt::message::FieldTable {
            number: 3u32,
            name: "counts",
            json: "counts",
            doc: "",
            label: <BTreeMap<
                i32,
                Line,
            > as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::ByType,
                ::bridge::__rt::codec::Sint32,
            >>::LABEL,
            kind: <BTreeMap<
                i32,
                Line,
            > as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::ByType,
                ::bridge::__rt::codec::Sint32,
            >>::KIND,
            oneof: ::core::option::Option::None,
        },
    ];
    const __ONEOFS: &[&[::bridge::__rt::message::FieldTable]] = &[
        <Method as ::bridge::__rt::codec::Oneof>::FIELDS,
    ];
    const __FIELDS: [::bridge::__rt::message::FieldTable; ::bridge::__rt::codec::count(
        __OWN,
        __ONEOFS,
    )] = ::bridge::__rt::codec::joined(
        __OWN,
        __ONEOFS,
        "two fields of `Place` have the same number, name or JSON name, counting the variants of its oneofs; give one of them another one: `",
    );
    const _: () = ::bridge::__rt::codec::names_differ(
        &__FIELDS,
        &["method"],
        "a oneof of `Place` is called like one of its fields, counting the variants of its oneofs; say another name, as `#[bridge(oneof, name = \"…\")]` or `name = \"…\"` at the variant: `",
    );
    static __TABLE: ::bridge::__rt::message::MessageTable = ::bridge::__rt::message::MessageTable {
        name: "shop.orders.v1.PlaceOrder",
        doc: "An order.",
        form: ::bridge::__rt::message::Form::Fields,
        requires: ::bridge::__rt::codec::holds_messages(&__FIELDS),
        fields: &__FIELDS,
    };
    #[automatically_derived]
    impl ::core::default::Default for Place {
        fn default() -> Self {
            Self {
                customer: <String as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::ByType,
                    ::bridge::__rt::codec::ByType,
                >>::unset(),
                seen: <Option<
                    u64,
                > as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::Fixed64,
                    ::bridge::__rt::codec::ByType,
                >>::unset(),
                counts: <BTreeMap<
                    i32,
                    Line,
                > as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::ByType,
                    ::bridge::__rt::codec::Sint32,
                >>::unset(),
                method: ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::bridge::__rt::prost::Message for Place {
        fn encode_raw(&self, __buf: &mut impl ::bridge::__rt::codec::BufMut) {
            <String as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::ByType,
                ::bridge::__rt::codec::ByType,
            >>::put(&self.customer, 1u32, __buf);
            if const {
                ::bridge::__rt::codec::any_between(
                    <Method as ::bridge::__rt::codec::Oneof>::FIELDS,
                    1u32,
                    3u32,
                )
            } {
                if let ::core::option::Option::Some(__it) = &self.method {
                    <Method as ::bridge::__rt::codec::Oneof>::put(
                        __it,
                        1u32,
                        3u32,
                        __buf,
                    );
                }
            }
            <BTreeMap<
                i32,
                Line,
            > as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::ByType,
                ::bridge::__rt::codec::Sint32,
            >>::put(&self.counts, 3u32, __buf);
            if const {
                ::bridge::__rt::codec::any_between(
                    <Method as ::bridge::__rt::codec::Oneof>::FIELDS,
                    3u32,
                    7u32,
                )
            } {
                if let ::core::option::Option::Some(__it) = &self.method {
                    <Method as ::bridge::__rt::codec::Oneof>::put(
                        __it,
                        3u32,
                        7u32,
                        __buf,
                    );
                }
            }
            <Option<
                u64,
            > as ::bridge::__rt::codec::Field<
                ::bridge::__rt::codec::Fixed64,
                ::bridge::__rt::codec::ByType,
            >>::put(&self.seen, 7u32, __buf);
            if const {
                ::bridge::__rt::codec::any_between(
                    <Method as ::bridge::__rt::codec::Oneof>::FIELDS,
                    7u32,
                    4294967295u32,
                )
            } {
                if let ::core::option::Option::Some(__it) = &self.method {
                    <Method as ::bridge::__rt::codec::Oneof>::put(
                        __it,
                        7u32,
                        4294967295u32,
                        __buf,
                    );
                }
            }
        }
        fn encoded_len(&self) -> usize {
            0usize
                + <String as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::ByType,
                    ::bridge::__rt::codec::ByType,
                >>::size(&self.customer, 1u32)
                + <Option<
                    u64,
                > as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::Fixed64,
                    ::bridge::__rt::codec::ByType,
                >>::size(&self.seen, 7u32)
                + <BTreeMap<
                    i32,
                    Line,
                > as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::ByType,
                    ::bridge::__rt::codec::Sint32,
                >>::size(&self.counts, 3u32)
                + self
                    .method
                    .as_ref()
                    .map_or(
                        0,
                        |__it| <Method as ::bridge::__rt::codec::Oneof>::size(__it),
                    )
        }
        fn merge_field(
            &mut self,
            __tag: u32,
            __wire_type: ::bridge::__rt::codec::WireType,
            __buf: &mut impl ::bridge::__rt::codec::Buf,
            __ctx: ::bridge::__rt::codec::DecodeContext,
        ) -> ::bridge::__rt::codec::Merged {
            match __tag {
                1u32 => {
                    <String as ::bridge::__rt::codec::Field<
                        ::bridge::__rt::codec::ByType,
                        ::bridge::__rt::codec::ByType,
                    >>::take(&mut self.customer, __wire_type, __buf, __ctx)
                }
                7u32 => {
                    <Option<
                        u64,
                    > as ::bridge::__rt::codec::Field<
                        ::bridge::__rt::codec::Fixed64,
                        ::bridge::__rt::codec::ByType,
                    >>::take(&mut self.seen, __wire_type, __buf, __ctx)
                }
                3u32 => {
                    <BTreeMap<
                        i32,
                        Line,
                    > as ::bridge::__rt::codec::Field<
                        ::bridge::__rt::codec::ByType,
                        ::bridge::__rt::codec::Sint32,
                    >>::take(&mut self.counts, __wire_type, __buf, __ctx)
                }
                __tag if ::bridge::__rt::codec::has(
                    <Method as ::bridge::__rt::codec::Oneof>::FIELDS,
                    __tag,
                ) => {
                    <Method as ::bridge::__rt::codec::Oneof>::take(
                        &mut self.method,
                        __tag,
                        __wire_type,
                        __buf,
                        __ctx,
                    )
                }
                _ => ::bridge::__rt::codec::skip_field(__wire_type, __tag, __buf, __ctx),
            }
                .map_err(|__error| ::bridge::__rt::codec::at(__error, &__TABLE, __tag))
        }
        fn clear(&mut self) {
            *self = <Self as ::core::default::Default>::default();
        }
        fn decode(
            __buf: impl ::bridge::__rt::codec::Buf,
        ) -> ::core::result::Result<Self, ::bridge::__rt::codec::DecodeError> {
            static __REQUIRES: ::std::sync::OnceLock<bool> = ::std::sync::OnceLock::new();
            if ::bridge::__rt::codec::requires(&__TABLE, &__REQUIRES) {
                return ::bridge::__rt::message::decode_checked(__buf);
            }
            let mut __message = <Self as ::core::default::Default>::default();
            <Self as ::bridge::__rt::prost::Message>::merge(&mut __message, __buf)?;
            ::core::result::Result::Ok(__message)
        }
    }
    #[automatically_derived]
    impl ::bridge::__rt::codec::Native for Place {
        type Codec = ::bridge::__rt::codec::Msg<Self>;
        const KIND: ::bridge::__rt::message::Kind = ::bridge::__rt::message::Kind::Declared(||
        &__TABLE);
        fn declare(__files: &mut ::bridge::__rt::message::Files) {
            if __files.message(&__TABLE, "shop.orders.v1", &[("method", "")]) {
                <String as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::ByType,
                    ::bridge::__rt::codec::ByType,
                >>::declare(__files);
                <Option<
                    u64,
                > as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::Fixed64,
                    ::bridge::__rt::codec::ByType,
                >>::declare(__files);
                <BTreeMap<
                    i32,
                    Line,
                > as ::bridge::__rt::codec::Field<
                    ::bridge::__rt::codec::ByType,
                    ::bridge::__rt::codec::Sint32,
                >>::declare(__files);
                <Method as ::bridge::__rt::codec::Oneof>::declare(__files);
            }
        }
    }
    ::bridge::__rt::message_impls! {
        Place, __TABLE
    }
};
