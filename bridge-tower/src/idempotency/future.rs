//! The future of a request that may have a key. Those without one are not boxed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::problem::ProblemBody;

type Answer<Res, E> = Result<Response<ProblemBody<Res>>, E>;
type Keyed<Res, E> = Pin<Box<dyn Future<Output = Answer<Res, E>> + Send>>;

pin_project! {
    /// Resolves to the inner answer, to one that was kept, or to a problem.
    #[must_use = "futures do nothing until polled"]
    pub struct ResponseFuture<F, Res, E> {
        #[pin]
        state: State<F, Res, E>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F, Res, E> {
        Plain { #[pin] answer: F },
        Refused { answer: Option<Box<Response<ProblemBody<Res>>>> },
        Keyed { answer: Keyed<Res, E> },
    }
}

impl<F, Res, E> ResponseFuture<F, Res, E> {
    pub(super) fn plain(answer: F) -> Self {
        Self {
            state: State::Plain { answer },
        }
    }

    pub(super) fn refused(answer: Response<ProblemBody<Res>>) -> Self {
        let answer = Some(Box::new(answer));
        Self {
            state: State::Refused { answer },
        }
    }

    pub(super) fn keyed(answer: impl Future<Output = Answer<Res, E>> + Send + 'static) -> Self {
        let answer = Box::pin(answer);
        Self {
            state: State::Keyed { answer },
        }
    }
}

impl<F, Res, E> fmt::Debug for ResponseFuture<F, Res, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, Res, E> Future for ResponseFuture<F, Res, E>
where
    F: Future<Output = Result<Response<Res>, E>>,
{
    type Output = Answer<Res, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Plain { answer } => {
                let answer = ready!(answer.poll(cx));
                Poll::Ready(answer.map(|response| response.map(ProblemBody::inner)))
            }
            StateProj::Refused { answer } => {
                let answer = answer.take().expect("polled after it was ready");
                Poll::Ready(Ok(*answer))
            }
            StateProj::Keyed { answer } => answer.as_mut().poll(cx),
        }
    }
}
