//! The future of an answer that may become a problem: the inner one's, then its short text.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED,
};
use http::response::Parts;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ProblemBody;
use super::layer::Untouched;
use super::model::{PROBLEM_JSON, Problem};

/// Bytes of a text that is made a problem. What a framework says is a sentence.
pub(super) const TEXT_BYTES_MAX: usize = 65_536;

/// Left in the extensions of an answer that was made a problem of what was said in plain text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WasText;

/// Whether the answer to a request may become a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    No,
    Yes,
    /// The request is a HEAD: its answer has the headers, but never the body.
    HeadOnly,
}

pin_project! {
    /// Resolves to the inner answer, or to the same answer as a problem.
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
        wanted: Wanted,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F, B> {
        Answering { #[pin] answer: F },
        Reading { #[pin] problem: Reading<B> },
    }
}

pin_project! {
    /// Resolves to the problem that a short text says.
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub(crate) struct Reading<B> {
        head: Option<Box<Parts>>,
        text: Vec<u8>,
        #[pin]
        body: B,
    }
}

impl<B> Reading<B> {
    pub(crate) fn new(response: Response<B>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            head: Some(Box::new(head)),
            text: Vec::new(),
            body,
        }
    }
}

impl<B: Body<Data = Bytes>> Future for Reading<B> {
    type Output = Response<ProblemBody<B>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        ready!(poll_text(this.text, this.body, cx));
        let head = this.head.take().expect("polled after it was ready");
        Poll::Ready(problem(*head, std::mem::take(this.text)))
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn new(answer: F, wanted: Wanted) -> Self {
        Self {
            state: State::Answering { answer },
            wanted,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<ProblemBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Answering { answer } => {
                    let response = ready!(answer.poll(cx))?;
                    if *this.wanted == Wanted::No || !says_nothing_of_its_own(&response) {
                        return Poll::Ready(Ok(response.map(ProblemBody::inner)));
                    }
                    if *this.wanted == Wanted::HeadOnly {
                        return Poll::Ready(Ok(head_of_problem(response)));
                    }
                    this.state.set(State::Reading {
                        problem: Reading::new(response),
                    });
                }
                StateProj::Reading { problem } => return problem.poll(cx).map(Ok),
            }
        }
    }
}

/// Whether this is an error in plain text, or without any.
#[inline]
pub(crate) fn says_nothing_of_its_own<B: Body>(response: &Response<B>) -> bool {
    let (status, headers) = (response.status(), response.headers());
    if status.as_u16() < 400 || status.as_u16() >= 600 {
        return false;
    }
    if headers.contains_key(CONTENT_ENCODING) || response.extensions().get::<Untouched>().is_some()
    {
        return false;
    }
    let length = response.body().size_hint().exact();
    match headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) {
        None => length == Some(0),
        Some(media) => {
            let media = media.split(|byte| *byte == b';').next().unwrap_or_default();
            let is_short = length.is_some_and(|it| it <= TEXT_BYTES_MAX as u64);
            media.trim_ascii().eq_ignore_ascii_case(b"text/plain") && is_short
        }
    }
}

/// Reads the whole text. One that breaks, or is longer than it said, is cut there.
fn poll_text<B: Body<Data = Bytes>>(
    text: &mut Vec<u8>,
    mut body: Pin<&mut B>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    while text.len() < TEXT_BYTES_MAX {
        let Some(Ok(frame)) = ready!(body.as_mut().poll_frame(cx)) else {
            break;
        };
        if let Some(data) = frame.data_ref() {
            text.extend_from_slice(data);
        }
    }
    text.truncate(TEXT_BYTES_MAX);
    Poll::Ready(())
}

fn problem<B>(mut head: Parts, text: Vec<u8>) -> Response<ProblemBody<B>> {
    let mut problem = Problem::new(head.status).traced();
    if !text.trim_ascii().is_empty() {
        problem = problem.detail(String::from_utf8_lossy(&text).trim());
    }
    describe(&mut head);
    Response::from_parts(head, ProblemBody::own(problem.to_json().into_bytes()))
}

/// The head that a GET would have been answered with. The length of its body is not known.
pub(crate) fn head_of_problem<B>(response: Response<B>) -> Response<ProblemBody<B>> {
    let (mut head, _) = response.into_parts();
    describe(&mut head);
    Response::from_parts(head, ProblemBody::unsent())
}

/// Makes the head that of a problem: what described the text goes, everything else stays.
fn describe(head: &mut Parts) {
    for name in [CONTENT_LENGTH, ETAG, LAST_MODIFIED] {
        head.headers.remove(name);
    }
    let json = HeaderValue::from_static(PROBLEM_JSON);
    head.headers.insert(CONTENT_TYPE, json);
    head.extensions.insert(WasText);
}
