//! `bridge account` and `bridge token`: who may use the console and the API.

use std::process::ExitCode;

use http::Method;

use super::account_args::{Account, Role, Token};
use super::args::Output;
use super::screen::answer;
use super::when::shown as when;
use super::{AnyError, password, path, tables};
use crate::accounts;
use crate::accounts::wire::{
    AccountShown, ChangeAccount, CreateAccount, CreateToken, TokenMade, TokenShown,
};
use crate::operator::Client;

impl From<Role> for accounts::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::Viewer => Self::Viewer,
        }
    }
}

pub(super) async fn run(
    client: &Client,
    output: Output,
    command: Account,
) -> Result<ExitCode, AnyError> {
    match command {
        Account::List => {
            let found: Vec<AccountShown> = client.get("/api/v1/accounts").await?;
            answer(output, &found, |it| accounts(it))
        }
        Account::Create {
            name,
            role,
            password_file,
        } => {
            let wanted = CreateAccount {
                password: password::ask(&name, password_file.as_deref())?,
                username: name,
                role: role.into(),
            };
            let path = "/api/v1/accounts";
            let made: AccountShown = client.send_json(Method::POST, path, &wanted).await?;
            answer(output, &made, |it| {
                format!("account `{}` is {}", it.username, article(it.role))
            })
        }
        Account::Role { name, role } => {
            let wanted = ChangeAccount {
                role: Some(role.into()),
                password: None,
            };
            let changed = change(client, &name, &wanted).await?;
            answer(output, &changed, |it| {
                let role = article(it.role);
                format!("account `{name}` is {role} and has to log in again")
            })
        }
        Account::Password {
            name,
            password_file,
        } => {
            let wanted = ChangeAccount {
                role: None,
                password: Some(password::ask(&name, password_file.as_deref())?),
            };
            let changed = change(client, &name, &wanted).await?;
            answer(output, &changed, |_| {
                format!("account `{name}` has another password and has to log in again")
            })
        }
        Account::Delete { name } => {
            let path = format!("/api/v1/accounts/{}", path::segment(&name));
            let done: () = client.send_json(Method::DELETE, &path, &()).await?;
            answer(output, &done, |()| format!("account `{name}` is deleted"))
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run_token(
    client: &Client,
    output: Output,
    command: Token,
) -> Result<ExitCode, AnyError> {
    match command {
        Token::List => {
            let found: Vec<TokenShown> = client.get("/api/v1/tokens").await?;
            answer(output, &found, |it| tokens(it))
        }
        Token::Create {
            name,
            role,
            expires,
        } => {
            let wanted = CreateToken {
                name,
                role: role.into(),
                expires_in_ms: expires
                    .map(|it| u64::try_from(it.as_millis()))
                    .transpose()?,
            };
            let path = "/api/v1/tokens";
            let made: TokenMade = client.send_json(Method::POST, path, &wanted).await?;
            answer(output, &made, made_token)
        }
        Token::Revoke { id } => {
            let path = format!("/api/v1/tokens/{}", path::segment(&id));
            let done: () = client.send_json(Method::DELETE, &path, &()).await?;
            answer(output, &done, |()| format!("API token `{id}` is revoked"))
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn change(
    client: &Client,
    name: &str,
    wanted: &ChangeAccount,
) -> Result<AccountShown, AnyError> {
    let path = format!("/api/v1/accounts/{}", path::segment(name));
    Ok(client.send_json(Method::PATCH, &path, wanted).await?)
}

const fn article(role: accounts::Role) -> &'static str {
    match role {
        accounts::Role::Admin => "an admin",
        accounts::Role::Viewer => "a viewer",
    }
}

fn made_token(made: &TokenMade) -> String {
    format!(
        "API token `{}` ({}), {}\n\nIt is shown this once. Give it to programs as BRIDGE_TOKEN:\n\n{}",
        made.name,
        made.id,
        article(made.role),
        made.token
    )
}

fn accounts(accounts: &[AccountShown]) -> String {
    if accounts.is_empty() {
        return "no accounts yet; `bridge account create NAME --role admin` makes one".to_owned();
    }
    let row = |it: &AccountShown| {
        [
            it.username.clone(),
            it.role.word().to_owned(),
            when(it.created_at_unix_ms),
            it.last_login_at_unix_ms.map_or("never".to_owned(), when),
        ]
    };
    tables::table(
        ["NAME", "ROLE", "CREATED", "LAST LOGIN"],
        accounts.iter().map(row),
    )
}

fn tokens(tokens: &[TokenShown]) -> String {
    if tokens.is_empty() {
        return "no API tokens yet; `bridge token create NAME` makes one".to_owned();
    }
    let never = || "never".to_owned();
    let row = |it: &TokenShown| {
        [
            it.name.clone(),
            it.role.word().to_owned(),
            it.created_by.clone(),
            it.last_used_at_unix_ms.map_or_else(never, when),
            it.expires_at_unix_ms.map_or_else(never, when),
            it.id.clone(),
        ]
    };
    tables::table(
        ["NAME", "ROLE", "BY", "LAST USED", "EXPIRES", "ID"],
        tokens.iter().map(row),
    )
}
