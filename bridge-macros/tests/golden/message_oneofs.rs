#[allow(clippy::all, clippy::pedantic, deprecated, unused_variables)]
const _: () = {
    const __OWN: &[my::bridge::__rt::message::FieldTable] = &[
        my::bridge::__rt::message::FieldTable {
            number: 4u32,
            name: "inner",
            json: "inner",
            doc: "",
            label: <Option<
                Box<Two>,
            > as my::bridge::__rt::codec::Field<
                my::bridge::__rt::codec::ByType,
                my::bridge::__rt::codec::ByType,
            >>::LABEL,
            kind: <Option<
                Box<Two>,
            > as my::bridge::__rt::codec::Field<
                my::bridge::__rt::codec::ByType,
                my::bridge::__rt::codec::ByType,
            >>::KIND,
            oneof: ::core::option::Option::None,
        },
    ];
    const __ONEOFS: &[&[my::bridge::__rt::message::FieldTable]] = &[
        <Left as my::bridge::__rt::codec::Oneof>::FIELDS,
        <Right as my::bridge::__rt::codec::Oneof>::FIELDS,
    ];
    const __FIELDS: [my::bridge::__rt::message::FieldTable; my::bridge::__rt::codec::count(
        __OWN,
        __ONEOFS,
    )] = my::bridge::__rt::codec::joined(
        __OWN,
        __ONEOFS,
        "two fields of `Two` have the same number, name or JSON name, counting the variants of its oneofs; give one of them another one: `",
    );
    const _: () = my::bridge::__rt::codec::names_differ(
        &__FIELDS,
        &["left", "right"],
        "a oneof of `Two` is called like one of its fields, counting the variants of its oneofs; say another name, as `#[bridge(oneof, name = \"…\")]` or `name = \"…\"` at the variant: `",
    );
    static __TABLE: my::bridge::__rt::message::MessageTable = my::bridge::__rt::message::MessageTable {
        name: "shop.v1.Two",
        doc: "",
        form: my::bridge::__rt::message::Form::Fields,
        requires: my::bridge::__rt::codec::holds_messages(&__FIELDS),
        fields: &__FIELDS,
    };
    #[automatically_derived]
    impl ::core::default::Default for Two {
        fn default() -> Self {
            Self {
                inner: <Option<
                    Box<Two>,
                > as my::bridge::__rt::codec::Field<
                    my::bridge::__rt::codec::ByType,
                    my::bridge::__rt::codec::ByType,
                >>::unset(),
                left: ::core::option::Option::None,
                right: ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl my::bridge::__rt::prost::Message for Two {
        fn encode_raw(&self, __buf: &mut impl my::bridge::__rt::codec::BufMut) {
            {
                let __numbers = [
                    self
                        .left
                        .as_ref()
                        .map_or(
                            0,
                            |__it| <Left as my::bridge::__rt::codec::Oneof>::number(__it),
                        ),
                    self
                        .right
                        .as_ref()
                        .map_or(
                            0,
                            |__it| <Right as my::bridge::__rt::codec::Oneof>::number(
                                __it,
                            ),
                        ),
                ];
                let mut __after: u32 = 0u32;
                while let ::core::option::Option::Some(__next) = my::bridge::__rt::codec::next(
                    &__numbers,
                    __after,
                    4u32,
                ) {
                    if let ::core::option::Option::Some(__it) = &self.left {
                        <Left as my::bridge::__rt::codec::Oneof>::put(
                            __it,
                            __next - 1,
                            __next + 1,
                            __buf,
                        );
                    }
                    if let ::core::option::Option::Some(__it) = &self.right {
                        <Right as my::bridge::__rt::codec::Oneof>::put(
                            __it,
                            __next - 1,
                            __next + 1,
                            __buf,
                        );
                    }
                    __after = __next;
                }
            }
            <Option<
                Box<Two>,
            > as my::bridge::__rt::codec::Field<
                my::bridge::__rt::codec::ByType,
                my::bridge::__rt::codec::ByType,
            >>::put(&self.inner, 4u32, __buf);
            {
                let __numbers = [
                    self
                        .left
                        .as_ref()
                        .map_or(
                            0,
                            |__it| <Left as my::bridge::__rt::codec::Oneof>::number(__it),
                        ),
                    self
                        .right
                        .as_ref()
                        .map_or(
                            0,
                            |__it| <Right as my::bridge::__rt::codec::Oneof>::number(
                                __it,
                            ),
                        ),
                ];
                let mut __after: u32 = 4u32;
                while let ::core::option::Option::Some(__next) = my::bridge::__rt::codec::next(
                    &__numbers,
                    __after,
                    4294967295u32,
                ) {
                    if let ::core::option::Option::Some(__it) = &self.left {
                        <Left as my::bridge::__rt::codec::Oneof>::put(
                            __it,
                            __next - 1,
                            __next + 1,
                            __buf,
                        );
                    }
                    if let ::core::option::Option::Some(__it) = &self.right {
                        <Right as my::bridge::__rt::codec::Oneof>::put(
                            __it,
                            __next - 1,
                            __next + 1,
                            __buf,
                        );
                    }
                    __after = __next;
                }
            }
        }
        fn encoded_len(&self) -> usize {
            0usize
                + <Option<
                    Box<Two>,
                > as my::bridge::__rt::codec::Field<
                    my::bridge::__rt::codec::ByType,
                    my::bridge::__rt::codec::ByType,
                >>::size(&self.inner, 4u32)
                + self
                    .left
                    .as_ref()
                    .map_or(
                        0,
                        |__it| <Left as my::bridge::__rt::codec::Oneof>::size(__it),
                    )
                + self
                    .right
                    .as_ref()
                    .map_or(
                        0,
                        |__it| <Right as my::bridge::__rt::codec::Oneof>::size(__it),
                    )
        }
        fn merge_field(
            &mut self,
            __tag: u32,
            __wire_type: my::bridge::__rt::codec::WireType,
            __buf: &mut impl my::bridge::__rt::codec::Buf,
            __ctx: my::bridge::__rt::codec::DecodeContext,
        ) -> my::bridge::__rt::codec::Merged {
            match __tag {
                4u32 => {
                    <Option<
                        Box<Two>,
                    > as my::bridge::__rt::codec::Field<
                        my::bridge::__rt::codec::ByType,
                        my::bridge::__rt::codec::ByType,
                    >>::take(&mut self.inner, __wire_type, __buf, __ctx)
                }
                __tag if my::bridge::__rt::codec::has(
                    <Left as my::bridge::__rt::codec::Oneof>::FIELDS,
                    __tag,
                ) => {
                    <Left as my::bridge::__rt::codec::Oneof>::take(
                        &mut self.left,
                        __tag,
                        __wire_type,
                        __buf,
                        __ctx,
                    )
                }
                __tag if my::bridge::__rt::codec::has(
                    <Right as my::bridge::__rt::codec::Oneof>::FIELDS,
                    __tag,
                ) => {
                    <Right as my::bridge::__rt::codec::Oneof>::take(
                        &mut self.right,
                        __tag,
                        __wire_type,
                        __buf,
                        __ctx,
                    )
                }
                _ => {
                    my::bridge::__rt::codec::skip_field(__wire_type, __tag, __buf, __ctx)
                }
            }
                .map_err(|__error| my::bridge::__rt::codec::at(__error, &__TABLE, __tag))
        }
        fn clear(&mut self) {
            *self = <Self as ::core::default::Default>::default();
        }
        fn decode(
            __buf: impl my::bridge::__rt::codec::Buf,
        ) -> ::core::result::Result<Self, my::bridge::__rt::codec::DecodeError> {
            static __REQUIRES: ::std::sync::OnceLock<bool> = ::std::sync::OnceLock::new();
            if my::bridge::__rt::codec::requires(&__TABLE, &__REQUIRES) {
                return my::bridge::__rt::message::decode_checked(__buf);
            }
            let mut __message = <Self as ::core::default::Default>::default();
            <Self as my::bridge::__rt::prost::Message>::merge(&mut __message, __buf)?;
            ::core::result::Result::Ok(__message)
        }
    }
    #[automatically_derived]
    impl my::bridge::__rt::codec::Native for Two {
        type Codec = my::bridge::__rt::codec::Msg<Self>;
        const KIND: my::bridge::__rt::message::Kind = my::bridge::__rt::message::Kind::Declared(||
        &__TABLE);
        fn declare(__files: &mut my::bridge::__rt::message::Files) {
            if __files.message(&__TABLE, "shop.v1", &[("left", ""), ("right", "")]) {
                <Option<
                    Box<Two>,
                > as my::bridge::__rt::codec::Field<
                    my::bridge::__rt::codec::ByType,
                    my::bridge::__rt::codec::ByType,
                >>::declare(__files);
                <Left as my::bridge::__rt::codec::Oneof>::declare(__files);
                <Right as my::bridge::__rt::codec::Oneof>::declare(__files);
            }
        }
    }
    my::bridge::__rt::message_impls! {
        Two, __TABLE
    }
};
