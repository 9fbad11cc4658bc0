//! SQL of accounts, sessions and tokens: one function per statement, no decisions.
//!
//! The caller holds the transaction and has already decided. Of secrets only slow hashes and
//! digests pass through.

use contract::clock::Timestamp;
use sqlx::FromRow;

use super::model::{Account, Digest, NewToken, Role, Session, Token};
use crate::db::{Conn, DbError, Sql, on_conn, sql};

const COUNT_ACCOUNTS: Sql = sql!("accounts/count_accounts.sql");
const COUNT_ADMINS: Sql = sql!("accounts/count_admins.sql");
const INSERT_ACCOUNT: Sql = sql!("accounts/insert_account.sql");
const FIND_ACCOUNT: Sql = sql!("accounts/find_account.sql");
const LIST_ACCOUNTS: Sql = sql!("accounts/list_accounts.sql");
const SET_ROLE: Sql = sql!("accounts/set_role.sql");
const SET_PASSWORD: Sql = sql!("accounts/set_password.sql");
const SET_LAST_LOGIN: Sql = sql!("accounts/set_last_login.sql");
const DELETE_ACCOUNT: Sql = sql!("accounts/delete_account.sql");
const INSERT_SESSION: Sql = sql!("accounts/insert_session.sql");
const FIND_SESSION: Sql = sql!("accounts/find_session.sql");
const TOUCH_SESSION: Sql = sql!("accounts/touch_session.sql");
const DELETE_SESSION: Sql = sql!("accounts/delete_session.sql");
const DELETE_SESSIONS_OF: Sql = sql!("accounts/delete_sessions_of.sql");
const DELETE_SURPLUS_SESSIONS: Sql = sql!("accounts/delete_surplus_sessions.sql");
const DELETE_STALE_SESSIONS: Sql = sql!("accounts/delete_stale_sessions.sql");
const INSERT_TOKEN: Sql = sql!("accounts/insert_token.sql");
const FIND_TOKEN: Sql = sql!("accounts/find_token.sql");
const LIST_TOKENS: Sql = sql!("accounts/list_tokens.sql");
const COUNT_TOKENS: Sql = sql!("accounts/count_tokens.sql");
const TOUCH_TOKEN: Sql = sql!("accounts/touch_token.sql");
const DELETE_TOKEN: Sql = sql!("accounts/delete_token.sql");

#[derive(FromRow)]
struct AccountRow {
    username: String,
    role: String,
    password_hash: String,
    created_at_us: i64,
    last_login_at_us: Option<i64>,
}

#[derive(FromRow)]
struct SessionRow {
    username: String,
    role: String,
    created_at_us: i64,
    seen_at_us: i64,
}

#[derive(FromRow)]
struct TokenRow {
    id: String,
    name: String,
    role: String,
    digest: Vec<u8>,
    created_by: String,
    created_at_us: i64,
    expires_at_us: Option<i64>,
    last_used_at_us: Option<i64>,
}

/// How many accounts there are.
pub(super) async fn count_accounts(conn: &mut Conn<'_>) -> Result<i64, DbError> {
    count(conn, COUNT_ACCOUNTS, "count the accounts").await
}

/// How many of them are admins.
pub(super) async fn count_admins(conn: &mut Conn<'_>) -> Result<i64, DbError> {
    count(conn, COUNT_ADMINS, "count the admins").await
}

/// How many tokens there are.
pub(super) async fn count_tokens(conn: &mut Conn<'_>) -> Result<i64, DbError> {
    count(conn, COUNT_TOKENS, "count the API tokens").await
}

async fn count(conn: &mut Conn<'_>, sql: Sql, action: &'static str) -> Result<i64, DbError> {
    let text = conn.text(sql);
    on_conn!(conn, action, c => sqlx::query_scalar::<_, i64>(text).fetch_one(c).await)
}

/// Adds an account. A name that is taken is a conflict.
pub(super) async fn insert_account(conn: &mut Conn<'_>, account: &Account) -> Result<(), DbError> {
    let text = conn.text(INSERT_ACCOUNT);
    on_conn!(conn, "add an account", c => {
        sqlx::query(text)
            .bind(account.username.as_str())
            .bind(account.role.word())
            .bind(account.password_hash.as_str())
            .bind(account.created_at.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// The account of this name.
pub(super) async fn find_account(
    conn: &mut Conn<'_>,
    username: &str,
) -> Result<Option<Account>, DbError> {
    let text = conn.text(FIND_ACCOUNT);
    let row = on_conn!(conn, "find an account", c => {
        sqlx::query_as::<_, AccountRow>(text).bind(username).fetch_optional(c).await
    })?;
    row.map(AccountRow::into_account).transpose()
}

/// Accounts by name, at most `limit`.
pub(super) async fn list_accounts(
    conn: &mut Conn<'_>,
    limit: i64,
) -> Result<Vec<Account>, DbError> {
    let text = conn.text(LIST_ACCOUNTS);
    let rows = on_conn!(conn, "list the accounts", c => {
        sqlx::query_as::<_, AccountRow>(text).bind(limit).fetch_all(c).await
    })?;
    rows.into_iter().map(AccountRow::into_account).collect()
}

/// Gives an account a role. False when there is no such account.
pub(super) async fn set_role(
    conn: &mut Conn<'_>,
    username: &str,
    role: Role,
) -> Result<bool, DbError> {
    set_text(conn, SET_ROLE, username, role.word()).await
}

/// Gives an account a password. False when there is no such account.
pub(super) async fn set_password(
    conn: &mut Conn<'_>,
    username: &str,
    password_hash: &str,
) -> Result<bool, DbError> {
    set_text(conn, SET_PASSWORD, username, password_hash).await
}

async fn set_text(
    conn: &mut Conn<'_>,
    sql: Sql,
    username: &str,
    value: &str,
) -> Result<bool, DbError> {
    let text = conn.text(sql);
    on_conn!(conn, "change an account", c => {
        sqlx::query(text)
            .bind(username)
            .bind(value)
            .execute(c)
            .await
            .map(|done| done.rows_affected() > 0)
    })
}

/// Notes when an account last logged in.
pub(super) async fn set_last_login(
    conn: &mut Conn<'_>,
    username: &str,
    at: Timestamp,
) -> Result<(), DbError> {
    touch(conn, SET_LAST_LOGIN, username, at).await
}

/// Removes an account, whose sessions are gone already. False when there is no such account.
pub(super) async fn delete_account(conn: &mut Conn<'_>, username: &str) -> Result<bool, DbError> {
    delete(conn, DELETE_ACCOUNT, username).await
}

/// Adds a session.
pub(super) async fn insert_session(
    conn: &mut Conn<'_>,
    digest: &Digest,
    username: &str,
    at: Timestamp,
) -> Result<(), DbError> {
    let text = conn.text(INSERT_SESSION);
    on_conn!(conn, "add a session", c => {
        sqlx::query(text)
            .bind(digest.as_slice())
            .bind(username)
            .bind(at.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// The session of this digest, whatever its age.
pub(super) async fn find_session(
    conn: &mut Conn<'_>,
    digest: &Digest,
) -> Result<Option<Session>, DbError> {
    let text = conn.text(FIND_SESSION);
    let row = on_conn!(conn, "find a session", c => {
        sqlx::query_as::<_, SessionRow>(text).bind(digest.as_slice()).fetch_optional(c).await
    })?;
    row.map(SessionRow::into_session).transpose()
}

/// Notes that a session is in use.
pub(super) async fn touch_session(
    conn: &mut Conn<'_>,
    digest: &Digest,
    at: Timestamp,
) -> Result<(), DbError> {
    let text = conn.text(TOUCH_SESSION);
    on_conn!(conn, "note the use of a session", c => {
        sqlx::query(text)
            .bind(digest.as_slice())
            .bind(at.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// Ends a session.
pub(super) async fn delete_session(conn: &mut Conn<'_>, digest: &Digest) -> Result<(), DbError> {
    let text = conn.text(DELETE_SESSION);
    on_conn!(conn, "end a session", c => {
        sqlx::query(text).bind(digest.as_slice()).execute(c).await.map(|_| ())
    })
}

/// Ends every session of an account except `spared`.
pub(super) async fn delete_sessions_of(
    conn: &mut Conn<'_>,
    username: &str,
    spared: Option<&Digest>,
) -> Result<(), DbError> {
    let text = conn.text(DELETE_SESSIONS_OF);
    // No digest is empty.
    let spared = spared.map_or(&[][..], |it| it.as_slice());
    on_conn!(conn, "end the sessions of an account", c => {
        sqlx::query(text).bind(username).bind(spared).execute(c).await.map(|_| ())
    })
}

/// Ends the oldest sessions of an account when it has more than `kept`.
pub(super) async fn delete_surplus_sessions(
    conn: &mut Conn<'_>,
    username: &str,
    kept: i64,
) -> Result<(), DbError> {
    let text = conn.text(DELETE_SURPLUS_SESSIONS);
    on_conn!(conn, "end surplus sessions", c => {
        sqlx::query(text).bind(username).bind(kept).execute(c).await.map(|_| ())
    })
}

/// Forgets sessions that began, or were last seen, at these times or before.
pub(super) async fn delete_stale_sessions(
    conn: &mut Conn<'_>,
    created_until: Timestamp,
    seen_until: Timestamp,
) -> Result<(), DbError> {
    let text = conn.text(DELETE_STALE_SESSIONS);
    on_conn!(conn, "forget old sessions", c => {
        sqlx::query(text)
            .bind(created_until.as_micros())
            .bind(seen_until.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// Adds a token. A name that is taken is a conflict.
pub(super) async fn insert_token(conn: &mut Conn<'_>, token: &NewToken) -> Result<(), DbError> {
    let text = conn.text(INSERT_TOKEN);
    on_conn!(conn, "add an API token", c => {
        sqlx::query(text)
            .bind(token.id.as_str())
            .bind(token.name.as_str())
            .bind(token.role.word())
            .bind(token.digest.as_slice())
            .bind(token.created_by.as_str())
            .bind(token.created_at.as_micros())
            .bind(token.expires_at.map(Timestamp::as_micros))
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// The token of this id, expired or not.
pub(super) async fn find_token(conn: &mut Conn<'_>, id: &str) -> Result<Option<Token>, DbError> {
    let text = conn.text(FIND_TOKEN);
    let row = on_conn!(conn, "find an API token", c => {
        sqlx::query_as::<_, TokenRow>(text).bind(id).fetch_optional(c).await
    })?;
    row.map(TokenRow::into_token).transpose()
}

/// Tokens by name, at most `limit`.
pub(super) async fn list_tokens(conn: &mut Conn<'_>, limit: i64) -> Result<Vec<Token>, DbError> {
    let text = conn.text(LIST_TOKENS);
    let rows = on_conn!(conn, "list the API tokens", c => {
        sqlx::query_as::<_, TokenRow>(text).bind(limit).fetch_all(c).await
    })?;
    rows.into_iter().map(TokenRow::into_token).collect()
}

/// Notes that a token was used.
pub(super) async fn touch_token(
    conn: &mut Conn<'_>,
    id: &str,
    at: Timestamp,
) -> Result<(), DbError> {
    touch(conn, TOUCH_TOKEN, id, at).await
}

/// Removes a token. False when there is none.
pub(super) async fn delete_token(conn: &mut Conn<'_>, id: &str) -> Result<bool, DbError> {
    delete(conn, DELETE_TOKEN, id).await
}

async fn touch(conn: &mut Conn<'_>, sql: Sql, which: &str, at: Timestamp) -> Result<(), DbError> {
    let text = conn.text(sql);
    on_conn!(conn, "note a time", c => {
        sqlx::query(text).bind(which).bind(at.as_micros()).execute(c).await.map(|_| ())
    })
}

async fn delete(conn: &mut Conn<'_>, sql: Sql, which: &str) -> Result<bool, DbError> {
    let text = conn.text(sql);
    on_conn!(conn, "delete an account or a token", c => {
        sqlx::query(text).bind(which).execute(c).await.map(|done| done.rows_affected() > 0)
    })
}

fn role(word: &str, whose: &str) -> Result<Role, DbError> {
    let unreadable =
        || DbError::corrupt("read an account", format!("`{whose}` has an unknown role"));
    Role::from_word(word).ok_or_else(unreadable)
}

impl AccountRow {
    fn into_account(self) -> Result<Account, DbError> {
        Ok(Account {
            role: role(&self.role, &self.username)?,
            username: self.username,
            password_hash: self.password_hash,
            created_at: Timestamp::from_micros(self.created_at_us),
            last_login_at: self.last_login_at_us.map(Timestamp::from_micros),
        })
    }
}

impl SessionRow {
    fn into_session(self) -> Result<Session, DbError> {
        Ok(Session {
            role: role(&self.role, &self.username)?,
            username: self.username,
            created_at: Timestamp::from_micros(self.created_at_us),
            seen_at: Timestamp::from_micros(self.seen_at_us),
        })
    }
}

impl TokenRow {
    fn into_token(self) -> Result<Token, DbError> {
        let damaged = |_| {
            DbError::corrupt(
                "read an API token",
                format!("the digest of `{}` is damaged", self.id),
            )
        };
        Ok(Token {
            role: role(&self.role, &self.name)?,
            digest: self.digest.try_into().map_err(damaged)?,
            id: self.id,
            name: self.name,
            created_by: self.created_by,
            created_at: Timestamp::from_micros(self.created_at_us),
            expires_at: self.expires_at_us.map(Timestamp::from_micros),
            last_used_at: self.last_used_at_us.map(Timestamp::from_micros),
        })
    }
}
