//! The same for reqwest: its requests join the trace, its responses are measured to their end.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;

use ::reqwest::{Body, Request, Response, ResponseBuilderExt as _};

use super::body::MeasuredBody;
use super::call::{Call, Caller};
use super::target::Target;
use super::{ClientError, Outgoing};
use crate::record::Ending;
use crate::recorder::Recorder;

/// A reqwest client whose requests are part of the trace of the current task. Cheap to clone.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use bridge_tower::Recorder;
/// use bridge_tower::client::Reqwest;
///
/// let client = Reqwest::new(&Recorder::new())?;
/// let request = client.inner().get("http://users:8080/users/42").build()?;
/// let user = client.execute_as("/users/{id}", request).await?.text().await?;
/// # let _ = user;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reqwest {
    client: ::reqwest::Client,
    caller: Caller,
}

impl Reqwest {
    /// A client with reqwest's defaults, except that it repeats nothing by itself: who knows
    /// whether a request may be repeated is the caller.
    ///
    /// # Errors
    ///
    /// When reqwest cannot be set up, for example because it has no TLS provider.
    pub fn new(recorder: &Recorder) -> Result<Self, ::reqwest::Error> {
        let never = ::reqwest::retry::never();
        let client = ::reqwest::Client::builder().retry(never).build()?;
        Ok(Self::with_client(client, recorder))
    }

    /// Around a client that was set up elsewhere. Its own retries, if it has any, happen within
    /// one record.
    pub fn with_client(client: ::reqwest::Client, recorder: &Recorder) -> Self {
        Self {
            client,
            caller: Caller::new(recorder),
        }
    }

    /// Tells `hook` of every request about to be sent, on the sending task: it should be quick.
    #[must_use]
    pub fn on_call(mut self, hook: impl Fn(Outgoing<'_>) + Send + Sync + 'static) -> Self {
        self.caller.tell(hook);
        self
    }

    /// Writes no header of ours into requests: for peers outside of the system, who have no
    /// business with its baggage. Requests are recorded all the same.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.caller.keep_headers();
        self
    }

    /// To build requests with. What it sends itself is not recorded.
    pub fn inner(&self) -> &::reqwest::Client {
        &self.client
    }

    /// Sends a request. Only its host is known to whoever counts: see [`Reqwest::execute_as`].
    ///
    /// # Errors
    ///
    /// [`ClientError::DeadlinePassed`] without sending anything, when nobody waits any more;
    /// [`ClientError::DeadlineExceeded`]; else reqwest's own.
    pub async fn execute(
        &self,
        request: Request,
    ) -> Result<Response, ClientError<::reqwest::Error>> {
        self.send(None, request).await
    }

    /// Sends a request that asks for `template`, as `/users/{id}`.
    ///
    /// # Errors
    ///
    /// As [`Reqwest::execute`].
    pub async fn execute_as(
        &self,
        template: &str,
        request: Request,
    ) -> Result<Response, ClientError<::reqwest::Error>> {
        self.send(Some(template), request).await
    }

    async fn send(
        &self,
        template: Option<&str>,
        mut request: Request,
    ) -> Result<Response, ClientError<::reqwest::Error>> {
        let (method, url) = (request.method().clone(), request.url().clone());
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default();
        let target = Target::of_parts(url.scheme(), host, port, url.path());
        let out = Outgoing {
            peer: target.peer(),
            method: &method,
            template,
        };
        let departed = self.caller.departs(out, &target, request.headers_mut());
        let mut call = departed.map_err(|it| ClientError::DeadlinePassed { peer: it.peer })?;
        match in_time(&call, self.client.execute(request)).await? {
            Ok(response) => Ok(measured(response, call)),
            Err(error) => {
                call.end(Ending::Failed);
                Err(ClientError::Call(error))
            }
        }
    }
}

/// Waits for the answer until the deadline; a call that is dropped then ends as aborted.
async fn in_time<T>(
    call: &Call,
    answer: impl Future<Output = T>,
) -> Result<T, ClientError<::reqwest::Error>> {
    let Some(deadline) = &call.deadline else {
        return Ok(answer.await);
    };
    let (mut answer, mut expires) = (std::pin::pin!(answer), std::pin::pin!(deadline.sleep()));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
            return Poll::Ready(Ok(answer));
        }
        let peer: Arc<str> = std::task::ready!(expires.as_mut().poll(cx).map(|()| call.peer()));
        Poll::Ready(Err(ClientError::DeadlineExceeded { peer }))
    })
    .await
}

fn measured(response: Response, mut call: Call) -> Response {
    call.answered(response.status().as_u16(), response.version());
    // The url is lost on the way through `http::Response`: it travels as an extension.
    let url = http::Response::builder()
        .url(response.url().clone())
        .body(());
    let mut response = http::Response::<Body>::from(response);
    if let Ok(url) = url {
        response
            .extensions_mut()
            .extend(url.into_parts().0.extensions);
    }
    Response::from(response.map(|body| Body::wrap(MeasuredBody::new(body, Some(call)))))
}
