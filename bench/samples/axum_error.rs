
impl axum::response::IntoResponse for ThingError {
    fn into_response(self) -> axum::response::Response {
        use axum::http::StatusCode;
        let (status, detail) = match self {
            Self::Unknown { id } => (StatusCode::NOT_FOUND, format!("thing {id} is unknown")),
            Self::WrongState { id } => (StatusCode::CONFLICT, format!("not now for thing {id}")),
            Self::NameMissing => (StatusCode::UNPROCESSABLE_ENTITY, "a name is missing".to_owned()),
        };
        (status, Json(serde_json::json!({ "detail": detail }))).into_response()
    }
}
