fn list() {
    let _ = {
        ::core::compile_error! {
            "BR0040: list handlers by name, such as `charge` or `orders::place`"
        }
        ::core::compile_error! {
            "BR0040: list handlers by name, such as `charge` or `orders::place`"
        }
        ::core::compile_error! {
            "BR0040: list handlers by name, such as `charge` or `orders::place`"
        }
        ::core::compile_error! {
            "BR0041: this handler is already in the list; remove one of them"
        }
        {
            const __LIST: &[::bridge::__rt::Listed] = ::bridge::__rt::distinct(
                &[::bridge::__rt::Listed::of::<charge>()],
            );
            ::bridge::Handlers::listed(__LIST)
        }
    };
}
