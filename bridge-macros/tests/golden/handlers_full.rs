fn list() {
    let _ = {
        const __LIST: &[::bridge::__rt::Listed] = ::bridge::__rt::distinct(
            &[
                ::bridge::__rt::Listed::of::<charge>(),
                ::bridge::__rt::Listed::of::<orders::place>(),
                ::bridge::__rt::Listed::of::<crate::r#move>(),
            ],
        );
        ::bridge::Handlers::listed(__LIST)
    };
}
