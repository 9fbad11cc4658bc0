//! What is added for a handler of messages: the type of the same name and its operation.
//!
//! May assume that `check` found no fault. Adds no code per argument beyond one lookup and one
//! clone, because this is compiled once per handler.
//!
//! Invariant: every path is absolute, local names start with `__` (a `const request` in the user's
//! scope would otherwise turn a binding into a comparison), and the user's tokens cannot see them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{LitStr, Type};

use crate::paths::Facade;

use super::attribute::Attribute;
use super::check::{Answers, Idempotent, Operation};
use super::head::{Arg, Head, Role};
use super::place::{called, ends_of, in_a_tuple, item_of, local, located};

/// The twin type and the operation it stands for.
pub(super) fn operation(attribute: &Attribute, head: &Head, operation: &Operation) -> TokenStream {
    let facade = &attribute.facade;
    let rt = facade.rt();
    let ident = head.ident();
    let method = &operation.method;
    let site = site(ident, None);
    let handlers = local("handlers");
    let serve = serve(facade, head, operation, None);
    let id = quote!(#rt::OperationId::rpc(#method, #site));
    twin(facade, head, &id, &handlers, &serve)
}

/// The statements that add one handler to `__handlers`. Below a service, `service` is its type and
/// `__service` the value.
pub(crate) fn serve(
    facade: &Facade,
    head: &Head,
    operation: &Operation,
    service: Option<&Type>,
) -> TokenStream {
    let rt = facade.rt();
    let lookup = lookup(facade, operation);
    let definition = definition(facade, head, operation, service);
    let (handlers, value) = (local("handlers"), local("service"));
    let found = match service {
        Some(ty) => quote!(FoundIn<#ty>),
        None => quote!(Found),
    };
    let passed = service.map(|_| quote!(, &#value));
    let described = local("operation");
    let idempotent = operation
        .idempotent
        .as_ref()
        .map(|it| idempotent(facade, &operation.message, it));
    let calls = head
        .args
        .iter()
        .filter(|arg| matches!(arg.role, Role::Client));
    let calls = calls.map(|Arg { ty, .. }| calls_of(ty, &handlers));
    // One constant for both: the compiler evaluates a constant also in `cargo check`, and it says
    // only once, of one body, that a type does not fit.
    quote! {
        const FOUND: #rt::#found = (#lookup, #definition);
        let #described = (FOUND.1)(FOUND.0 #passed);
        #idempotent
        #handlers.serve(#described);
        #(#calls)*
    }
}

/// The method of the contract. First in its constant: what it says about a message makes the
/// compiler drop what the definition would repeat, provided both are underlined at the same place.
fn lookup(facade: &Facade, operation: &Operation) -> TokenStream {
    let Operation {
        message,
        answers,
        method,
        method_at,
        ..
    } = operation;
    let method = LitStr::new(method, *method_at);
    let find = located(*method_at);
    let rt = facade.rt();
    let rt_at_method = facade.rt_at(*method_at);
    let request = match answers {
        Answers::Once(_) => quote!(RpcRequest),
        Answers::Stream(_) => quote!(RpcStreamRequest),
    };
    let reply = part_of(facade, answers.result(), "Reply");
    let methods = item_of(
        message,
        &quote!(#message as #rt::#request<#reply>),
        "METHODS",
    );
    quote_spanned!(find=> #rt_at_method::find_method(#methods, #method))
}

/// The `Reply` or `Error` of a handler's result.
fn part_of(facade: &Facade, result: &Type, part: &str) -> TokenStream {
    let rt = facade.rt();
    item_of(result, &quote!(#result as #rt::HandlerResult), part)
}

/// The function from the method to the operation; it captures nothing.
fn definition(
    facade: &Facade,
    head: &Head,
    operation: &Operation,
    service: Option<&Type>,
) -> TokenStream {
    let Operation {
        message, answers, ..
    } = operation;
    let ident = head.ident();
    let rt = facade.rt();
    // A future that cannot be sent is a fault of the function, so it is underlined at its name.
    let rt_at_name = facade.rt_at(ident.span());
    let at_name = located(ident.span());
    let [method, states, request, context] = ["method", "states", "request", "context"].map(local);
    let value = local("service");
    let arguments = Arguments::of(facade, &head.args);
    let (found, cloned) = (arguments.found(&states), arguments.cloned());
    let call = call(facade, ident, (answers, service), &arguments);
    let kept = service.map(|_| quote!(let #value = ::std::sync::Arc::clone(&#value);));
    let own = service.map(|_| quote!(move));
    let build = quote! {
        #own |#states: &#rt::States| {
            #found
            #kept
            ::core::result::Result::Ok(move |#request: #message, #context: #facade::Context| {
                #cloned
                #kept
                #call
            })
        }
    };
    let (constructor, generics) = match answers {
        Answers::Once(result) => {
            let generics = quote_spanned!(at_name=> #message, #result, _, _, _);
            (quote_spanned!(at_name=> unary), generics)
        }
        Answers::Stream(result) => {
            let [reply, error] = ["Reply", "Error"].map(|it| part_of(facade, result, it));
            let generics = quote_spanned!(at_name=> #message, #reply, #error, _, _, _);
            (quote_spanned!(at_name=> stream), generics)
        }
    };
    let site = site(ident, service);
    let given = service.map(|ty| quote!(, #value: &::std::sync::Arc<#ty>));
    let body = quote_spanned! {at_name=>
        #rt_at_name::OperationDef::#constructor::<#generics>(#method, #site, #build)
    };
    let body = if service.is_some() {
        quote!({ let #value = ::std::sync::Arc::clone(#value); #body })
    } else {
        body
    };
    quote_spanned!(at_name=> |#method #given| #body)
}

/// The call of the user's function. A method borrows its service, so what it returns is driven by
/// a future that owns the service.
fn call(
    facade: &Facade,
    ident: &Ident,
    (answers, service): (&Answers, Option<&Type>),
    arguments: &Arguments,
) -> TokenStream {
    let Arguments { passed, client, .. } = arguments;
    let Some(service) = service else {
        return called(quote!(#ident), quote!(#(#passed),*), *client);
    };
    let rt = facade.rt();
    let (value, items) = (local("service"), local("items"));
    let passed = quote!(&#value, #(#passed),*);
    let call = called(quote!(<#service>::#ident), passed, *client);
    match answers {
        Answers::Once(_) => quote!(async move { #call.await }),
        Answers::Stream(_) => quote!(#rt::stream_of(move |#items| async move {
            #items.take(#call).await
        })),
    }
}

/// What the arguments are made of.
struct Arguments {
    /// The values that are looked up.
    slots: Vec<Slot>,
    /// The expressions, in the order of the signature.
    passed: Vec<TokenStream>,
    /// The ends of the first type that is a client.
    client: Option<(Span, Span)>,
}

/// A value that is looked up.
struct Slot {
    name: Ident,
    ty: TokenStream,
    is_client: bool,
}

impl Arguments {
    fn of(facade: &Facade, args: &[Arg]) -> Self {
        let rt = facade.rt();
        let mut arguments = Self {
            slots: Vec::new(),
            passed: Vec::new(),
            client: None,
        };
        for arg in args {
            let passed = match &arg.role {
                Role::Message => local("request").to_token_stream(),
                Role::Context => local("context").to_token_stream(),
                Role::Client => arguments.client(&arg.ty),
                Role::State(inner) => {
                    let slot = arguments.state(inner);
                    quote!(#rt::State(#slot))
                }
            };
            arguments.passed.push(passed);
        }
        arguments
    }

    /// The statements that look the values up, each underlined at its type.
    fn found(&self, states: &Ident) -> TokenStream {
        let found = self.slots.iter().map(|Slot { name, ty, .. }| {
            let at_type = located(ends_of(ty).0);
            quote_spanned!(at_type=> let #name = #states.get::<#ty>()?;)
        });
        found.collect()
    }

    /// The statements that clone them for one call, likewise.
    fn cloned(&self) -> TokenStream {
        let cloned = self.slots.iter().map(
            |Slot {
                 name,
                 ty,
                 is_client,
             }| {
                let at_type = located(ends_of(ty).0);
                let clone = item_of(ty, &quote!(#ty as ::core::clone::Clone), "clone");
                match is_client {
                    false => quote_spanned!(at_type=> let #name = #clone(&#name);),
                    true => quote_spanned!(at_type=> let #name = (#clone(&#name),);),
                }
            },
        );
        cloned.collect()
    }

    /// A client whose contract is none is a fault of its type. So that the compiler says it there
    /// and once, all that mentions the type is underlined as the type is, from end to end.
    fn client(&mut self, ty: &Type) -> TokenStream {
        let ends = ends_of(ty);
        self.client.get_or_insert(ends);
        let (name, passed) = in_a_tuple(&format!("state{}", self.slots.len()), ends);
        self.slots.push(Slot {
            name,
            ty: ty.to_token_stream(),
            is_client: true,
        });
        passed
    }

    fn state(&mut self, ty: impl ToTokens) -> Ident {
        let name = local(&format!("state{}", self.slots.len()));
        self.slots.push(Slot {
            name: name.clone(),
            ty: ty.to_token_stream(),
            is_client: false,
        });
        name
    }
}

/// The statements that make the operation idempotent.
fn idempotent(facade: &Facade, message: &Type, idempotent: &Idempotent) -> TokenStream {
    let rt = facade.rt();
    let [request, key, described] = ["request", "key", "operation"].map(local);
    let keep = idempotent.keep_ms.map(|it| quote!(.keep(#rt::millis(#it))));
    let by = match &idempotent.field {
        None => quote!(by_caller()),
        Some(field) => {
            let at_field = facade.rt_at(field.span());
            quote!(by_field(|#request: &#message| #at_field::key_text(&#request.#field)))
        }
    };
    quote! {
        let #key = #rt::Idempotent::#by;
        let #described = #described.idempotent(#key #keep);
    }
}

/// The statement that a service is called through a client of this type.
fn calls_of(client: &Type, handlers: &Ident) -> TokenStream {
    let (first, _) = ends_of(client);
    let at_client = located(first);
    quote_spanned!(at_client=> #handlers.calls::<#client>();)
}

/// The type of the same name, and what it adds to a list.
pub(super) fn twin(
    facade: &Facade,
    head: &Head,
    id: &TokenStream,
    handlers: &Ident,
    body: &TokenStream,
) -> TokenStream {
    let rt = facade.rt();
    let ident = head.ident();
    let cfgs = &head.cfgs;
    let ty = twin_type(head);
    quote! {
        #ty

        #(#cfgs)*
        #[allow(deprecated)]
        impl #rt::Operation for #ident {
            const ID: #rt::OperationId = #id;

            fn add_to(#handlers: &mut #facade::Handlers) {
                #body
            }
        }
    }
}

/// The messages of a refused handler, inside an operation that satisfies whoever lists it.
pub(super) fn refused(facade: &Facade, head: &Head, errors: &syn::Error) -> TokenStream {
    let errors = errors.to_compile_error();
    if head.is_associated() {
        // Inside an `impl` or a trait a type would be a second fault.
        return errors;
    }
    let rt = facade.rt();
    let id = quote!(#rt::OperationId::REFUSED);
    twin(facade, head, &id, &local("handlers"), &errors)
}

/// An enum, because of one that nobody lists rustc says that it "is never used". It says so only
/// where the tokens are at the user's place: what stands in an expansion alone it is silent about.
fn twin_type(head: &Head) -> TokenStream {
    let Head { vis, cfgs, .. } = head;
    let ident = head.ident();
    let unlisted = if head.may_be_unused {
        quote!(#[allow(dead_code)])
    } else {
        quote!(#[warn(dead_code, reason = #UNLISTED)])
    };
    let item = quote_spanned!(ident.span()=> #vis enum #ident {});
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(missing_debug_implementations, non_camel_case_types)]
        #unlisted
        #item
    }
}

/// What rustc adds to its warning of a handler that no list has.
const UNLISTED: &str = "in no `handlers![…]`, so its attribute does nothing";

/// Where a handler is defined, for messages.
pub(super) fn site(ident: &Ident, service: Option<&Type>) -> TokenStream {
    let name = ident.unraw();
    let path = match service {
        Some(ty) => format!("::{}::{name}", ty.to_token_stream()),
        None => format!("::{name}"),
    };
    quote!(::core::concat!(::core::module_path!(), #path))
}
