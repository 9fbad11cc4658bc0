//! What the services agree on: the messages and clients made from `contracts/*.proto`, and the
//! errors, for which proto has no word.
//!
//! Invariant: a caller gets the same error variant back that the handler returned.

pub(crate) mod inventory {
    //! `shop.inventory.v1`

    bridge::include_contract!("shop.inventory.v1");

    /// Why goods were not reserved.
    #[derive(Debug, bridge::Error)]
    pub(crate) enum ReserveError {
        UnknownSku(String),
        InvalidQuantity(String),
        OutOfStock(String),
    }

    /// Why there is no price.
    #[derive(Debug, bridge::Error)]
    pub(crate) enum QuoteError {
        UnknownReservation,
    }
}

pub(crate) mod payments {
    //! `shop.payments.v1`

    bridge::include_contract!("shop.payments.v1");

    /// Why no money was taken.
    #[derive(Debug, bridge::Error)]
    pub(crate) enum ChargeError {
        CardDeclined,
        NothingReserved,
        LedgerFull,
        PriceUnknown(String),
    }
}

pub(crate) mod orders {
    //! `shop.orders.v1`

    bridge::include_contract!("shop.orders.v1");

    /// Why no order was found.
    #[derive(Debug, bridge::Error)]
    pub(crate) enum FindError {
        UnknownOrder,
    }
}
