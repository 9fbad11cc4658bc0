//! A body that is the inner service's, or a problem in its place.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::resumed::Resumed;

pin_project! {
    /// The inner body `B`, or an answer of our own.
    #[derive(Debug)]
    pub struct ProblemBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<B> {
        Inner { #[pin] body: B },
        // Boxed: few are, and all take as much room as the largest.
        Resumed { body: Box<Resumed<B>> },
        Own { bytes: Option<Bytes> },
        // Ends at once, without telling how long it would have been.
        Unsent,
    }
}

impl<B> ProblemBody<B> {
    /// The inner body, unchanged.
    pub(crate) fn inner(body: B) -> Self {
        Self {
            kind: Kind::Inner { body },
        }
    }

    /// The inner body, of which something was read.
    pub(crate) fn resumed(body: Resumed<B>) -> Self {
        Self {
            kind: Kind::Resumed {
                body: Box::new(body),
            },
        }
    }

    /// The body of an answer to HEAD: what a GET would get is not known.
    pub(super) fn unsent() -> Self {
        Self { kind: Kind::Unsent }
    }

    /// A body of these bytes.
    pub(crate) fn own(bytes: Vec<u8>) -> Self {
        let bytes = (!bytes.is_empty()).then(|| bytes.into());
        Self {
            kind: Kind::Own { bytes },
        }
    }
}

impl<B> From<Vec<u8>> for ProblemBody<B> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::own(bytes)
    }
}

impl<B: Body<Data = Bytes>> Body for ProblemBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProj::Inner { body } => body.poll_frame(cx),
            KindProj::Resumed { body } => Pin::new(&mut **body).poll_frame(cx),
            KindProj::Own { bytes } => Poll::Ready(bytes.take().map(|it| Ok(Frame::data(it)))),
            KindProj::Unsent => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Resumed { body } => body.is_end_stream(),
            Kind::Own { bytes } => bytes.is_none(),
            Kind::Unsent => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Resumed { body } => body.size_hint(),
            Kind::Own { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |it| it.len() as u64))
            }
            Kind::Unsent => SizeHint::default(),
        }
    }
}
