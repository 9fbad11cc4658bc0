fn list() {
    let _ = {
        const __LIST: &[my::bridge::__rt::Listed] = my::bridge::__rt::distinct(
            &[my::bridge::__rt::Listed::of::<charge>()],
        );
        my::bridge::Handlers::listed(__LIST)
    };
}
