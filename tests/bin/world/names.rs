//! Words that companies name things with, and words that attack whoever shows them.
//!
//! Refuses chance: every list has one order, so that a seed makes the same world everywhere.

/// What a company works on; each is a group of services.
pub(crate) const DOMAINS: [&str; 40] = [
    "orders",
    "billing",
    "catalog",
    "payments",
    "shipping",
    "inventory",
    "users",
    "search",
    "pricing",
    "cart",
    "checkout",
    "invoices",
    "returns",
    "loyalty",
    "support",
    "reviews",
    "media",
    "fraud",
    "tax",
    "partners",
    "warehouse",
    "fleet",
    "subscriptions",
    "reports",
    "promo",
    "suppliers",
    "tickets",
    "geo",
    "messages",
    "feeds",
    "ads",
    "contracts",
    "payouts",
    "quotas",
    "devices",
    "imports",
    "exports",
    "legal",
    "hiring",
    "training",
];

/// What the services of a domain do, in the order in which a domain gets them.
pub(crate) const ROLES: [&str; 12] = [
    "api", "worker", "store", "sync", "indexer", "mailer", "cache", "audit", "rules", "gate",
    "batch", "proxy",
];

/// Where requests from outside arrive.
pub(crate) const GATEWAYS: [&str; 4] = [
    "web-gateway",
    "mobile-gateway",
    "partner-gateway",
    "admin-gateway",
];

/// What everybody calls.
pub(crate) const HUBS: [&str; 5] = [
    "auth-api",
    "config-api",
    "notify-api",
    "flags-api",
    "profile-api",
];

/// What methods do to things.
pub(crate) const VERBS: [&str; 10] = [
    "Get", "List", "Create", "Update", "Cancel", "Reserve", "Validate", "Publish", "Sync", "Score",
];

/// What methods and routes are about.
pub(crate) const THINGS: [&str; 12] = [
    "Order", "Item", "Account", "Quote", "Batch", "Session", "Address", "Label", "Stock", "Plan",
    "Receipt", "Rule",
];

/// Verb and path of routes; `{}` is a thing in lower case.
pub(crate) const ROUTES: [(&str, &str); 6] = [
    ("GET", "/v1/{}s"),
    ("GET", "/v1/{}s/{id}"),
    ("POST", "/v1/{}s"),
    ("PATCH", "/v1/{}s/{id}"),
    ("DELETE", "/v1/{}s/{id}"),
    ("POST", "/v1/{}s/{id}/confirm"),
];

/// What services log when all is well.
pub(crate) const LINES: [&str; 5] = [
    "reserved the stock",
    "cache refreshed",
    "quote accepted by the carrier",
    "moved to the next state",
    "no price for this region, took the default",
];

/// What they say when it is not.
pub(crate) const COMPLAINTS: [&str; 4] = [
    "the card was declined",
    "upstream answered 503 after 3 attempts",
    "the stock of item 4711 is negative",
    "deadline exceeded while waiting for a lock",
];

/// Text that runs as a program, breaks out of an attribute, or breaks a layout, when it is shown by
/// anything but its letters.
pub(crate) const HOSTILE: [&str; 8] = [
    "<script>window.__xss=1</script>",
    "<img src=x onerror=window.__xss=2>",
    "\"><svg onload=window.__xss=3>",
    "javascript:window.__xss=4",
    "'-window.__xss_5-'",
    "{{constructor.constructor('window.__xss=6')()}}",
    "</textarea></title><iframe srcdoc=\"<script>parent.__xss=7</script>\">",
    "\u{202e}txt.exe\u{0000}\u{1b}[31m\u{200b}",
];
