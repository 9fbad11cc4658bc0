fn list() {
    let _ = my::bridge::Handlers::from_operations(
        ::std::vec![< charge as my::bridge::__rt::Operation > ::operation()],
    );
}
