//! Which services there are, what they serve, whom they call, and how well each of them does. Pure.
//!
//! Shapes are those of a company: gateways in front, domains of an api with helpers behind it, a few
//! hubs that everybody calls, a few leaves that nobody knows.
//! Invariant: the same size and seed make the same plan; edges name methods that are served, but for
//! the few that are declared towards a service that does not exist.

use fastrand::Rng;

use crate::names::{DOMAINS, GATEWAYS, HOSTILE, HUBS, ROLES, ROUTES, THINGS, VERBS};

/// One in so many edges is declared and never called.
const COLD_EVERY: usize = 10;
/// Declared dependencies on something that does not exist.
const LOST_EDGES: usize = 3;
/// How far apart domains that know each other stand in the list.
const NEIGHBOURS: usize = 4;
/// Attempts to find an edge that is not there yet, per edge that is wanted.
const TRIES_PER_EDGE: usize = 400;
/// Contract of messages, as a registration describes it. Payloads are written by it.
pub(crate) const SCHEMA: &str = r#"{"nested":{"Message":{"fields":{"id":{"type":"string","id":1},"note":{"type":"string","id":2},"amount_cents":{"type":"int64","id":3},"card_token":{"type":"string","id":4}}}}}"#;

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) services: usize,
    pub(crate) routes: usize,
    pub(crate) edges: usize,
    pub(crate) hostile: bool,
    pub(crate) seed: u64,
}

/// The whole world.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) services: Vec<Service>,
}

/// One service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) tier: Tier,
    pub(crate) condition: Condition,
    pub(crate) instances: usize,
    /// Verb and path.
    pub(crate) routes: Vec<(String, String)>,
    pub(crate) methods: Vec<Method>,
    pub(crate) calls: Vec<Edge>,
}

/// One method of a service.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) name: String,
    /// Hash of its contract; the second instance of a few services has another.
    pub(crate) hash: String,
    pub(crate) next_hash: Option<String>,
}

/// One service calling a method of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// Place of the target; `None` when it does not exist.
    pub(crate) to: Option<usize>,
    pub(crate) service: String,
    pub(crate) method: String,
    /// Whether it is ever called.
    pub(crate) warm: bool,
}

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    Gateway,
    Hub,
    Api,
    Helper,
}

/// How a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Well,
    Slow,
    Failing,
    /// The runtime cannot reach it.
    Unhealthy,
    /// It goes and comes back, again and again.
    Draining,
}

impl Plan {
    pub(crate) fn new(size: Size) -> Self {
        let mut rng = Rng::with_seed(size.seed);
        let mut services = names(size.services)
            .into_iter()
            .enumerate()
            .map(|(at, (name, tier))| service(&mut rng, at, name, tier))
            .collect::<Vec<_>>();
        routes(&mut services, size);
        let plan = Self { services };
        plan.with_edges(size.edges, &mut rng)
    }

    pub(crate) fn routes(&self) -> usize {
        self.services.iter().map(|it| it.routes.len()).sum()
    }

    pub(crate) fn edges(&self) -> usize {
        self.services.iter().map(|it| it.calls.len()).sum()
    }

    fn with_edges(mut self, wanted: usize, rng: &mut Rng) -> Self {
        let lost = LOST_EDGES.min(wanted);
        for method in &VERBS[..lost] {
            let from = rng.usize(0..self.services.len());
            self.services[from].calls.push(Edge {
                to: None,
                service: "mainframe".to_owned(),
                method: (*method).to_owned(),
                warm: false,
            });
        }
        let mut tries = wanted.saturating_mul(TRIES_PER_EDGE);
        let mut made = lost;
        while made < wanted && tries > 0 {
            tries -= 1;
            let from = rng.usize(0..self.services.len());
            let Some(to) = self.target(from, rng) else {
                continue;
            };
            let known = self.services[from].calls.iter().any(|it| it.to == Some(to));
            // Links with several methods are as usual as new links.
            if !known && rng.u8(..) < 96 {
                continue;
            }
            let methods = &self.services[to].methods;
            let edge = Edge {
                to: Some(to),
                service: self.services[to].name.clone(),
                method: methods[rng.usize(0..methods.len())].name.clone(),
                warm: !made.is_multiple_of(COLD_EVERY),
            };
            let calls = &mut self.services[from].calls;
            let same = |it: &Edge| it.to == edge.to && it.method == edge.method;
            if !calls.iter().any(same) {
                calls.push(edge);
                made += 1;
            }
        }
        self
    }

    /// Whom a service may call, by where both stand; never a gateway, never itself.
    fn target(&self, from: usize, rng: &mut Rng) -> Option<usize> {
        let to = rng.usize(0..self.services.len());
        let (caller, callee) = (&self.services[from], &self.services[to]);
        let near = domain(&caller.name) == domain(&callee.name);
        let chance: u8 = match (caller.tier, callee.tier) {
            _ if from == to => 0,
            (_, Tier::Gateway) => 0,
            (Tier::Gateway, Tier::Api | Tier::Hub) => 255,
            (Tier::Gateway, Tier::Helper) => 2,
            (Tier::Hub, Tier::Hub) => 120,
            (Tier::Hub, _) => 4,
            (_, Tier::Hub) => 200,
            (Tier::Api, Tier::Helper) if near => 255,
            (Tier::Helper, Tier::Helper) if near => 200,
            // Domains know a few others, mostly those before them: no company is a ball of wool.
            (Tier::Api, Tier::Api) if to.abs_diff(from) <= NEIGHBOURS => {
                120 + u8::from(to < from) * 100
            }
            (Tier::Helper, Tier::Api) if near => 80,
            (Tier::Api | Tier::Helper, Tier::Api | Tier::Helper) => 1,
        };
        (rng.u8(..) < chance).then_some(to)
    }
}

fn domain(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(domain, _)| domain)
}

fn names(count: usize) -> Vec<(String, Tier)> {
    let fronts = GATEWAYS.map(|it| (it.to_owned(), Tier::Gateway));
    let hubs = HUBS.map(|it| (it.to_owned(), Tier::Hub));
    let domains = (count / 6).clamp(1, DOMAINS.len());
    // One role after the other, so that small worlds are many apis and large ones have helpers.
    let inner = ROLES.iter().flat_map(|role| {
        let tier = if *role == "api" {
            Tier::Api
        } else {
            Tier::Helper
        };
        DOMAINS[..domains]
            .iter()
            .map(move |domain| (format!("{domain}-{role}"), tier))
    });
    let more = (1..).map(|number| (format!("leaf-{number}"), Tier::Helper));
    let few = (count / 12).clamp(1, GATEWAYS.len());
    let all = fronts.into_iter().take(few);
    let all = all.chain(hubs.into_iter().take((count / 8).min(HUBS.len())));
    all.chain(inner).chain(more).take(count).collect()
}

fn service(rng: &mut Rng, at: usize, name: String, tier: Tier) -> Service {
    let condition = match at % 31 {
        11 => Condition::Slow,
        14 => Condition::Failing,
        23 => Condition::Unhealthy,
        29 => Condition::Draining,
        _ => Condition::Well,
    };
    let instances = match tier {
        Tier::Gateway | Tier::Hub => 2,
        Tier::Api if at.is_multiple_of(4) => 3,
        _ => 1,
    };
    let count = match tier {
        Tier::Gateway => 1,
        Tier::Hub => 8,
        Tier::Api => 6,
        Tier::Helper => 3,
    };
    let mut methods: Vec<Method> = Vec::with_capacity(count);
    while methods.len() < count {
        let verb = VERBS[rng.usize(0..VERBS.len())];
        let name = format!("{verb}{}", THINGS[rng.usize(0..THINGS.len())]);
        if methods.iter().any(|it| it.name == name) {
            continue;
        }
        let differs = instances > 1 && methods.is_empty();
        methods.push(Method {
            name,
            hash: hash(rng),
            next_hash: differs.then(|| hash(rng)),
        });
    }
    Service {
        name,
        tier,
        condition,
        instances,
        routes: Vec::new(),
        methods,
        calls: Vec::new(),
    }
}

fn hash(rng: &mut Rng) -> String {
    let words: String = (0..4).map(|_| format!("{:016x}", rng.u64(..))).collect();
    format!("v2:{words}")
}

/// Routes go round: gateways get most, helpers a few.
fn routes(services: &mut [Service], size: Size) {
    let share = |tier: Tier| match tier {
        Tier::Gateway => 8,
        Tier::Hub => 2,
        Tier::Api => 4,
        Tier::Helper => 1,
    };
    let most = ROUTES.len() * THINGS.len();
    let mut left = size.routes.min(most * services.len());
    while left > 0 {
        for service in &mut *services {
            for _ in 0..share(service.tier).min(left) {
                let at = service.routes.len();
                if at < most {
                    service.routes.push(route(at));
                    left -= 1;
                }
            }
        }
    }
    if size.hostile {
        let hostile = HOSTILE.iter().cycle();
        for (service, text) in services.iter_mut().zip(hostile) {
            service
                .routes
                .push(("GET".to_owned(), format!("/{text}/{{id}}")));
            // The contract takes any name of a method.
            service.methods.push(Method {
                name: format!("{text}{}", service.methods.len()),
                hash: "v2:00".to_owned(),
                next_hash: None,
            });
        }
    }
}

fn route(at: usize) -> (String, String) {
    let (verb, path) = ROUTES[at % ROUTES.len()];
    let thing = THINGS[(at / ROUTES.len()) % THINGS.len()].to_lowercase();
    (verb.to_owned(), path.replace("{}", &thing))
}
