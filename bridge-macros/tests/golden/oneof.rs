#[allow(clippy::all, clippy::pedantic, deprecated, unused_variables)]
#[automatically_derived]
impl ::bridge::__rt::codec::Oneof for Method {
    const FIELDS: &'static [::bridge::__rt::message::FieldTable] = &[
        ::bridge::__rt::message::FieldTable {
            number: 4u32,
            name: "points_used",
            json: "pointsUsed",
            doc: "",
            label: ::bridge::__rt::message::Label::Explicit,
            kind: <i32 as ::bridge::__rt::codec::Native<
                ::bridge::__rt::codec::Sint32,
            >>::KIND,
            oneof: ::core::option::Option::None,
        },
        ::bridge::__rt::message::FieldTable {
            number: 5u32,
            name: "card",
            json: "card",
            doc: "",
            label: ::bridge::__rt::message::Label::Explicit,
            kind: <Card as ::bridge::__rt::codec::Native<
                ::bridge::__rt::codec::ByType,
            >>::KIND,
            oneof: ::core::option::Option::None,
        },
    ];
    fn number(&self) -> u32 {
        match *self {
            Self::Card(_) => 5u32,
            Self::Points(_) => 4u32,
        }
    }
    fn put(
        &self,
        __after: u32,
        __until: u32,
        __buf: &mut impl ::bridge::__rt::codec::BufMut,
    ) {
        let __number = <Self as ::bridge::__rt::codec::Oneof>::number(self);
        if __number <= __after || __number >= __until {
            return;
        }
        match self {
            Self::Card(__it) => {
                <<Card as ::bridge::__rt::codec::Native<
                    ::bridge::__rt::codec::ByType,
                >>::Codec as ::bridge::__rt::codec::Codec>::encode(5u32, __it, __buf)
            }
            Self::Points(__it) => {
                <<i32 as ::bridge::__rt::codec::Native<
                    ::bridge::__rt::codec::Sint32,
                >>::Codec as ::bridge::__rt::codec::Codec>::encode(4u32, __it, __buf)
            }
        }
    }
    fn size(&self) -> usize {
        match self {
            Self::Card(__it) => {
                <<Card as ::bridge::__rt::codec::Native<
                    ::bridge::__rt::codec::ByType,
                >>::Codec as ::bridge::__rt::codec::Codec>::encoded_len(5u32, __it)
            }
            Self::Points(__it) => {
                <<i32 as ::bridge::__rt::codec::Native<
                    ::bridge::__rt::codec::Sint32,
                >>::Codec as ::bridge::__rt::codec::Codec>::encoded_len(4u32, __it)
            }
        }
    }
    fn take(
        __field: &mut ::core::option::Option<Self>,
        __tag: u32,
        __wire_type: ::bridge::__rt::codec::WireType,
        __buf: &mut impl ::bridge::__rt::codec::Buf,
        __ctx: ::bridge::__rt::codec::DecodeContext,
    ) -> ::bridge::__rt::codec::Merged {
        let __read = match __tag {
            5u32 => {
                let mut __it = match __field.take() {
                    ::core::option::Option::Some(Self::Card(__it)) => __it,
                    _ => ::core::default::Default::default(),
                };
                <<Card as ::bridge::__rt::codec::Native<
                    ::bridge::__rt::codec::ByType,
                >>::Codec as ::bridge::__rt::codec::Codec>::merge(
                    __wire_type,
                    &mut __it,
                    __buf,
                    __ctx,
                )?;
                Self::Card(__it)
            }
            4u32 => {
                let mut __it = match __field.take() {
                    ::core::option::Option::Some(Self::Points(__it)) => __it,
                    _ => ::core::default::Default::default(),
                };
                <<i32 as ::bridge::__rt::codec::Native<
                    ::bridge::__rt::codec::Sint32,
                >>::Codec as ::bridge::__rt::codec::Codec>::merge(
                    __wire_type,
                    &mut __it,
                    __buf,
                    __ctx,
                )?;
                Self::Points(__it)
            }
            _ => {
                return ::bridge::__rt::codec::skip_field(
                    __wire_type,
                    __tag,
                    __buf,
                    __ctx,
                );
            }
        };
        *__field = ::core::option::Option::Some(__read);
        ::core::result::Result::Ok(())
    }
    fn declare(__files: &mut ::bridge::__rt::message::Files) {
        <Card as ::bridge::__rt::codec::Native<
            ::bridge::__rt::codec::ByType,
        >>::declare(__files);
        <i32 as ::bridge::__rt::codec::Native<
            ::bridge::__rt::codec::Sint32,
        >>::declare(__files);
    }
}
