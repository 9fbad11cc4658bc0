#[bridge::rpc(post, "/a", idempotent_by = "Idempotency-Key", idempotent_within = "24h")]
async fn span() {}

#[bridge::rpc(post, "/b", idempotent_by = "Idempotency-Key", idempotent_within = "X-Tenant X-User")]
async fn blank() {}

#[bridge::rpc(post, "/c", idempotent_by = "Idempotency-Key", idempotent_within = "X-User, x-user")]
async fn twice() {}

#[bridge::rpc(post, "/d", idempotent_by = "Idempotency-Key", idempotent_within = "Idempotency-Key")]
async fn key() {}

#[bridge::rpc(post, "/e", idempotent_by = "Idempotency-Key", idempotent_within = "Date")]
async fn date() {}

fn main() {
    let _ = bridge::handlers![span, blank, twice, key, date];
}
