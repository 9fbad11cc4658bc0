//! One service with everything known of it: the registry, the present and its keys.

use std::collections::BTreeMap;
use std::time::Duration;

use super::engine::Operator;
use super::map::{load, seen};
use super::model::{CallIn, CallOut, LiveMap, Load, ServiceDetail, ServiceKey, ServiceMethod};
use crate::identity;
use crate::registry::{MapService, MethodDetail};
use crate::telemetry::Tally;

impl Operator {
    /// One service; `None` when nobody knows it. Loads count the last `window`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn service(
        &self,
        name: &str,
        window: Duration,
    ) -> Result<Option<ServiceDetail>, identity::Error> {
        let map = self.live_map(window);
        let Some(found) = map.services.iter().find(|it| it.service.name == name) else {
            return Ok(None);
        };
        let found = found.service.clone();
        let known = self.parts().identity.services().await?;
        let known = known.into_iter().find(|it| it.name == name);
        let keys = match &known {
            Some(it) => self.parts().identity.keys(it.id).await?,
            None => Vec::new(),
        };
        Ok(Some(ServiceDetail {
            created_at_unix_ms: known.map(|it| it.created_at.as_millis()),
            window_ms: map.window_ms,
            methods: self.methods(&found, window),
            calls: calls(&map, name),
            called_by: called_by(&map, name),
            keys: keys.into_iter().map(key).collect(),
            id: found.id,
            name: found.name,
            status: found.status,
            instances: found.instances,
        }))
    }

    fn methods(&self, service: &MapService, window: Duration) -> Vec<ServiceMethod> {
        let served = served(self, &service.name, window);
        let declared = service
            .id
            .parse()
            .map(|id| self.parts().registry.methods_of(id));
        let mut details = declared.unwrap_or_default();
        if details.is_empty() {
            // A foreign service: what it was seen to serve.
            details.extend(service.methods.iter().map(|method| MethodDetail {
                method: method.clone(),
                streaming: false,
                published: false,
                input_schema: None,
                output_schema: None,
            }));
        }
        let method = |it: MethodDetail| {
            let key = (it.method.kind.clone(), it.method.name.clone());
            ServiceMethod {
                served: served.get(&key).copied().filter(|_| !it.published),
                method: it.method,
                streaming: it.streaming,
                published: it.published,
                input_schema: it.input_schema,
                output_schema: it.output_schema,
            }
        };
        details.into_iter().map(method).collect()
    }
}

/// What a service answered, by kind and method, whoever called.
fn served(operator: &Operator, name: &str, window: Duration) -> BTreeMap<(String, String), Load> {
    let flows = operator.parts().telemetry.flow().edges(window);
    let mut sums: BTreeMap<(String, String), Tally> = BTreeMap::new();
    for ((_, to, kind, method), tally) in seen(operator, &flows) {
        if to == name {
            sums.entry((kind, method)).or_default().merge(&tally);
        }
    }
    let loads = sums.into_iter();
    loads
        .map(|(key, it)| (key, load(&it, flows.covered)))
        .collect()
}

fn calls(map: &LiveMap, name: &str) -> Vec<CallOut> {
    let edges = map.edges.iter().filter(|it| it.edge.from == name);
    let call = |it: &super::model::LiveEdge| CallOut {
        to: it.edge.to.clone(),
        kind: it.edge.kind.clone(),
        method: it.edge.method.clone(),
        declared: it.declared,
        live: it.edge.live,
        load: it.load,
    };
    edges.map(call).collect()
}

fn called_by(map: &LiveMap, name: &str) -> Vec<CallIn> {
    let edges = map.edges.iter().filter(|it| it.edge.to == name);
    let call = |it: &super::model::LiveEdge| CallIn {
        from: it.edge.from.clone(),
        kind: it.edge.kind.clone(),
        method: it.edge.method.clone(),
        declared: it.declared,
        load: it.load,
    };
    edges.map(call).collect()
}

fn key(it: identity::KeyView) -> ServiceKey {
    ServiceKey {
        id: it.id,
        created_at_unix_ms: it.created_at.as_millis(),
        revoked_at_unix_ms: it.revoked_at.map(|it| it.as_millis()),
    }
}
