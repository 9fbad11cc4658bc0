//! A stream that owns what its items are borrowed from.
//!
//! A method that returns a stream borrows its service for as long as it answers. A future that
//! owns the service drives that stream and puts each item where the consumer finds it.
//!
//! Invariant: one item at most is in between, and the future goes on only after it was taken.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio_stream::{Stream, StreamExt as _};

/// Where the future puts the items.
#[derive(Debug)]
pub struct Items<T>(Arc<Mutex<Option<T>>>);

impl<T> Items<T> {
    /// Passes all items of `stream` on.
    pub async fn take(self, stream: impl Stream<Item = T>) {
        let mut stream = pin!(stream);
        while let Some(item) = stream.next().await {
            *self.0.lock() = Some(item);
            // Without a waker: who takes the item asks again.
            poll_fn(|_| match *self.0.lock() {
                Some(_) => Poll::Pending,
                None => Poll::Ready(()),
            })
            .await;
        }
    }
}

/// The stream of the items that a future puts out.
struct ItemsOf<T, F> {
    driver: Pin<Box<F>>,
    slot: Arc<Mutex<Option<T>>>,
    is_over: bool,
}

/// The stream of what `drive` passes on.
pub fn stream_of<T, F>(drive: impl FnOnce(Items<T>) -> F) -> impl Stream<Item = T> + Send + 'static
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let slot = Arc::default();
    ItemsOf {
        driver: Box::pin(drive(Items(Arc::clone(&slot)))),
        slot,
        is_over: false,
    }
}

impl<T, F: Future<Output = ()>> Stream for ItemsOf<T, F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if this.is_over {
            return Poll::Ready(None);
        }
        this.is_over = this.driver.as_mut().poll(cx).is_ready();
        match this.slot.lock().take() {
            Some(item) => Poll::Ready(Some(item)),
            None if this.is_over => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shelf(Vec<String>);

    impl Shelf {
        fn names(&self) -> impl Stream<Item = &str> {
            tokio_stream::iter(self.0.iter().map(String::as_str))
        }
    }

    #[tokio::test]
    async fn all_items_come_in_order_and_the_owner_goes_with_the_stream() {
        let shelf = Arc::new(Shelf(vec!["a".into(), "b".into(), "c".into()]));
        let owned = Arc::clone(&shelf);
        let names = stream_of(move |items| async move {
            items.take(owned.names().map(str::to_owned)).await;
        });
        let mut names = pin!(names);
        assert_eq!(Arc::strong_count(&shelf), 2);
        let mut found = Vec::new();
        while let Some(name) = names.next().await {
            found.push(name);
        }
        assert_eq!(found, ["a", "b", "c"]);
        assert_eq!(names.next().await, None);
    }

    #[tokio::test]
    async fn the_stream_behind_is_asked_only_when_an_item_was_taken() {
        let (given, mut asked) = tokio::sync::mpsc::channel(8);
        let numbers = stream_of(move |items| async move {
            let numbers = tokio_stream::iter(0..3).map(|number| {
                given.try_send(number).expect("there is room");
                number
            });
            items.take(numbers).await;
        });
        let mut numbers = pin!(numbers);
        assert!(asked.try_recv().is_err());
        assert_eq!(numbers.next().await, Some(0));
        assert_eq!(asked.try_recv(), Ok(0));
        assert!(asked.try_recv().is_err());
    }
}
