//! A cluster with the service over it and a key of the project `default`: what most tests over HTTP begin with.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::service::{Answer, Service, key};

pub const COLLECTIONS: &str = "/v1/vectors/collections";

/// The service over a new database `app`.
pub struct World {
    pub service: Service,
    pub key: String,
    pub cluster: Cluster,
}

impl World {
    /// Start everything, with more words for `vw-api serve`.
    pub fn start(words: &[&str]) -> World {
        let cluster = Cluster::start("");
        drop(cluster.with_vw("app"));
        let key = key(&cluster, "app", &["create", "--project", "default"]);
        World { service: Service::start_with(&cluster, "app", words), key, cluster }
    }

    /// Send a request under the key.
    pub fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.service.send(method, path, &self.key, &body)
    }

    /// Make a collection; give its path.
    pub fn collection(&self, name: &str) -> String {
        let made = self.send("POST", COLLECTIONS, json!({"name": name}));
        assert_eq!(made.status, 200, "{made:?}");
        format!("{COLLECTIONS}/{}", made.body["id"].as_str().expect("an id"))
    }

    /// Index items given as (id, text, metadata).
    pub fn index(&self, path: &str, items: &[(&str, &str, Value)]) {
        let items: Vec<Value> =
            items.iter().map(|(id, text, data)| json!({"id": id, "text": text, "metadata": data})).collect();
        let indexed = self.send("POST", &format!("{path}/index"), json!({"items": items}));
        assert_eq!((indexed.status, &indexed.body["indexed"]), (200, &json!(items.len())), "{indexed:?}");
    }
}
