
impl From<ThingError> for Status {
    fn from(error: ThingError) -> Self {
        match error {
            ThingError::Unknown { id } => Self::not_found(format!("thing {id} is unknown")),
            ThingError::WrongState { id } => {
                Self::failed_precondition(format!("not now for thing {id}"))
            }
            ThingError::NameMissing => Self::invalid_argument("a name is missing"),
        }
    }
}
