//! Arguments that are clients: a handler that takes one says what it calls.

use axum::extract::State;

use super::argument::{Argument, ClientArgument};
use super::client::{Calls, ServiceClient};
use super::http::HttpOperation;

impl<T: ServiceClient> ClientArgument<T> {
    /// The handler calls a service.
    pub fn describe(&self, operation: &mut HttpOperation) {
        operation.add_calls::<T>();
    }
}

impl<T: ServiceClient> Argument<T> {
    /// The handler calls a service.
    pub fn describe(&self, operation: &mut HttpOperation) {
        operation.add_calls::<T>();
    }
}

impl<T: ServiceClient> Argument<State<T>> {
    /// The handler calls a service.
    pub fn describe(&self, operation: &mut HttpOperation) {
        operation.add_calls::<T>();
    }
}

impl HttpOperation {
    fn add_calls<T: ServiceClient>(&mut self) {
        self.calls.push(Calls::of::<T>());
    }
}
