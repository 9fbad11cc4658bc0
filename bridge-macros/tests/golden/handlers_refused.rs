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
        ::bridge::Handlers::from_operations(
            ::std::vec![
                < charge as ::bridge::__rt::Operation > ::operation(), < charge as
                ::bridge::__rt::Operation > ::operation()
            ],
        )
    };
}
