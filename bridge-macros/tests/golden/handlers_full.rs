fn list() {
    let _ = ::bridge::Handlers::from_operations(
        ::std::vec![
            < charge as ::bridge::__rt::Operation > ::operation(), < orders::place as
            ::bridge::__rt::Operation > ::operation(), < crate ::r#move as
            ::bridge::__rt::Operation > ::operation()
        ],
    );
}
